-- Effect: delete the records that match a filter and are not running.
-- Locks: the rows of these jobs, newest first. It waits for a locked row, then rechecks it. Index: as in list.
WITH chosen AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE state <> 'running'
        AND {matches}
    ORDER BY id DESC LIMIT %(limit)s FOR UPDATE
)
DELETE FROM {schema}.jobs
WHERE id = ANY (ARRAY(SELECT id FROM chosen))
RETURNING id
