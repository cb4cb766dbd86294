-- Effect: return as stats does, if the ledger exists. The due jobs of each queue have a row of their own, with no kind.
-- Locks: none. Index: {prefix}_waiting alone. It reads every row of the ledger.
-- Only SQLite: on PostgreSQL, the ledger always exists.
SELECT queue, kind, state, n, 0, NULL FROM {prefix}_counts
UNION ALL
SELECT queue, '', 'pending', 0, count(*), min(run_at)
FROM {prefix}_jobs INDEXED BY {prefix}_waiting
WHERE state IN ('pending', 'retrying') AND run_at <= :now
GROUP BY queue
