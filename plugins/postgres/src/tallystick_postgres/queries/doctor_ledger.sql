-- Effect: read each (queue, kind, state) of which the ledger counts another number of jobs than there are.
-- Locks: none. Index: none; every job and every line of the ledger is read.
SELECT queue, kind, state, coalesce(told.n, 0)::bigint, coalesce(real.n, 0)::bigint
FROM (SELECT queue, kind, state, sum(n) AS n FROM {schema}.counts GROUP BY queue, kind, state) AS told
FULL JOIN (SELECT queue, kind, state, count(*) AS n FROM {schema}.jobs GROUP BY queue, kind, state) AS real
    USING (queue, kind, state)
WHERE coalesce(told.n, 0) <> coalesce(real.n, 0)
ORDER BY queue, kind, state
