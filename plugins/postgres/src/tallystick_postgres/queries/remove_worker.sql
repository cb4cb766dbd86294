-- Effect: remove a worker, and those that were alive more than a day ago.
-- Locks: the rows of these workers. It skips other workers that another transaction has locked. Index: primary key of
--     workers.
WITH gone AS (
    DELETE FROM {schema}.workers
    WHERE name = ANY (
        ARRAY(
            SELECT name FROM {schema}.workers
            WHERE alive_until < {now} - interval '24 hours' AND name <> %(worker)s
            FOR UPDATE SKIP LOCKED
        )
    )
)
DELETE FROM {schema}.workers WHERE name = %(worker)s
RETURNING name
