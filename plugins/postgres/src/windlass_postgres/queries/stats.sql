-- Effect: count the records of each queue, kind and state.
-- Locks: none. Index: none; every line of the ledger is read.
SELECT queue, kind, state, sum(n)::bigint
FROM {schema}.counts
GROUP BY queue, kind, state
