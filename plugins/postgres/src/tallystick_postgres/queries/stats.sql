-- Effect: count the records of each queue, kind and state; and of each known queue those that are due, with the earliest
--     run_at of these, and whether it is paused. A row is about the former where it has a state, else about the latter.
-- Locks: none. Index: every line of the ledger is read; jobs_waiting, see the function `due`.
WITH line AS MATERIALIZED (
    SELECT queue, kind, state, sum(n)::bigint AS n
    FROM {schema}.counts
    GROUP BY queue, kind, state
),
known AS (
    SELECT queue, coalesce(sum(n) FILTER (WHERE state IN ('pending', 'retrying')), 0)::bigint AS waiting
    FROM line
    GROUP BY queue
)
SELECT queue, kind, state, n, NULL::timestamptz, NULL::boolean
FROM line
UNION ALL
SELECT known.queue, NULL, NULL, due.n, due.oldest, paused.name IS NOT NULL
FROM known
LEFT JOIN {schema}.paused_queues AS paused ON paused.name = known.queue
CROSS JOIN LATERAL {schema}.due(known.queue, known.waiting, {now}) AS due
