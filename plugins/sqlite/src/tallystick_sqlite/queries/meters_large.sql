-- Effect: add up as meters does. Each sum has two parts, because it may exceed the largest integer: the upper bits, and
--     the lower 32.
-- Locks: none. Index: primary key of {prefix}_meters.
-- Only SQLite: on PostgreSQL, a sum of integers is exact.
SELECT
    minute - minute % :step, queue, kind,
    sum(completed >> 32), sum(completed & 4294967295),
    sum(retried >> 32), sum(retried & 4294967295),
    sum(discarded >> 32), sum(discarded & 4294967295),
    sum(released >> 32), sum(released & 4294967295),
    sum(cancelled >> 32), sum(cancelled & 4294967295),
    sum(waiting >> 32), sum(waiting & 4294967295),
    sum(running >> 32), sum(running & 4294967295)
FROM {prefix}_meters
WHERE minute >= :since AND minute < :until
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
