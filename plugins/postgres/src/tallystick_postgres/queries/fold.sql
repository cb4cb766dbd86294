-- Effect: put one line in place of many in the ledger; no sum changes.
-- Locks: the lines that it folds; skips those that another folds. Index: none.
WITH folded AS (
    DELETE FROM {schema}.counts
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.counts LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
    RETURNING n, queue, kind, state
)
INSERT INTO {schema}.counts (n, queue, kind, state)
SELECT sum(n), queue, kind, state FROM folded GROUP BY queue, kind, state
RETURNING queue
