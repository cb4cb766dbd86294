-- Effect: cancel the waiting jobs that match a filter, and request cancellation of the running ones.
-- Locks: the rows of these jobs, newest first. It waits for a locked row, then rechecks it. Index: as in list.
WITH chosen AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE (state IN ('pending', 'retrying') OR (state = 'running' AND NOT cancel_requested))
        AND {matches}
    ORDER BY id DESC LIMIT %(limit)s FOR UPDATE
)
UPDATE {schema}.jobs
SET state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    cancel_requested = (state = 'running'),
    finished_at = CASE WHEN state = 'running' THEN finished_at ELSE {now} END,
    held_key = CASE WHEN state <> 'running' AND unique_until IN ('started', 'finished') THEN NULL ELSE held_key END,
    updated_at = {now}, last_error = last_error
WHERE id = ANY (ARRAY(SELECT id FROM chosen))
RETURNING id
