-- Effect: add up the meters of a range of time by steps. It fails if a sum exceeds the largest integer.
-- Locks: none. Index: primary key of {prefix}_meters.
SELECT
    minute - minute % :step, queue, kind,
    sum(completed), sum(retried), sum(discarded), sum(released), sum(cancelled), sum(waiting), sum(running)
FROM {prefix}_meters
WHERE minute >= :since AND minute < :until
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
