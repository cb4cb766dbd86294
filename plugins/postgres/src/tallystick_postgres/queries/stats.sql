-- Effect: count the records of each queue, kind and state. For each known queue also read the number of due jobs, their
--     earliest run_at, and whether the queue is paused. These rows have no state.
-- Locks: none. Index: jobs_waiting, see the function `due`. It reads every row of the ledger.
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
