-- Effect: read each (queue, kind, state) for which the ledger's count differs from the number of jobs.
-- Locks: none. Index: none; it reads every job and every row of the ledger.
-- Only PostgreSQL: SQLite has no ledger.
SELECT queue, kind, state, coalesce(counted.n, 0)::bigint, coalesce(real.n, 0)::bigint
FROM (SELECT queue, kind, state, sum(n) AS n FROM {schema}.counts GROUP BY queue, kind, state) AS counted
FULL JOIN (SELECT queue, kind, state, count(*) AS n FROM {schema}.jobs GROUP BY queue, kind, state) AS real
    USING (queue, kind, state)
WHERE coalesce(counted.n, 0) <> coalesce(real.n, 0)
ORDER BY queue, kind, state
