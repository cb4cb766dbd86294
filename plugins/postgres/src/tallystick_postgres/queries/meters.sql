-- Effect: add up the meters of a range of time by steps. A sum stays at the largest bigint.
-- Locks: none. Index: primary key of meters.
SELECT
    date_bin(%(step)s::interval, minute, '1970-01-01 00:00:00+00'::timestamptz), queue, kind,
    least(sum(completed), 9223372036854775807)::bigint,
    least(sum(retried), 9223372036854775807)::bigint,
    least(sum(discarded), 9223372036854775807)::bigint,
    least(sum(released), 9223372036854775807)::bigint,
    least(sum(cancelled), 9223372036854775807)::bigint,
    least(sum(waiting), 9223372036854775807)::bigint,
    least(sum(running), 9223372036854775807)::bigint
FROM {schema}.meters
WHERE minute >= %(since)s::timestamptz AND minute < %(until)s::timestamptz
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
