-- Effect: delete the records that match a filter and are not running.
-- Locks: the rows of these jobs, newest first. It waits for a locked row, then rechecks it. Index: as in list.
WITH chosen AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE state <> 'running'
        AND (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s::uuid[]))
        AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
        AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
        AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
        AND (%(tags)s::text[] IS NULL OR (tags <> '{}' AND tags && %(tags)s::text[]))
    ORDER BY id DESC LIMIT %(limit)s FOR UPDATE
)
DELETE FROM {schema}.jobs
WHERE id = ANY (ARRAY(SELECT id FROM chosen))
RETURNING id
