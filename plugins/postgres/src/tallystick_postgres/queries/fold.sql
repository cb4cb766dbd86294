-- Effect: replace many rows of the ledger by one for each (queue, kind, state); no sum changes.
-- Locks: the rows that it folds; skips rows that another transaction has locked. Index: none.
-- Only PostgreSQL: on SQLite, stats counts the records themselves.
WITH folded AS (
    DELETE FROM {schema}.counts
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.counts LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
    RETURNING n, queue, kind, state
)
INSERT INTO {schema}.counts (n, queue, kind, state)
SELECT sum(n), queue, kind, state FROM folded GROUP BY queue, kind, state
RETURNING queue
