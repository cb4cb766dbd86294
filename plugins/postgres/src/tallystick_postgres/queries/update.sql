-- Effect: change run_at, priority or queue of the waiting jobs that match a filter and have other values. NULL leaves a
--     column unchanged.
-- Locks: the rows of these jobs, newest first. It waits for a locked row, then rechecks it. Index: as in list.
WITH chosen AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE state IN ('pending', 'retrying')
        AND (
            run_at <> coalesce(%(run_at)s::timestamptz, run_at)
            OR priority <> coalesce(%(priority)s::smallint, priority)
            OR queue <> coalesce(%(queue)s::text, queue)
        )
        AND {matches}
    ORDER BY id DESC LIMIT %(limit)s FOR UPDATE
)
UPDATE {schema}.jobs
SET run_at = coalesce(%(run_at)s::timestamptz, run_at),
    priority = coalesce(%(priority)s::smallint, priority),
    queue = coalesce(%(queue)s::text, queue),
    updated_at = {now}, last_error = last_error
WHERE id = ANY (ARRAY(SELECT id FROM chosen))
RETURNING id
