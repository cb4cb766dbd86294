-- Effect: make the jobs that match a filter pending again, due now. If several have the same unique key, requeue only
--     the newest; skip a job if another job holds its key. If another transaction takes the key during the statement,
--     jobs_held_keys makes the whole statement fail.
-- Locks: the rows of these jobs, newest first. It waits for a locked row, then rechecks it. Index: as in list;
--     jobs_held_keys once for each job. With NOT EXISTS the planner would read the whole table into a hash instead.
WITH fitting AS MATERIALIZED (
    SELECT id, unique_key FROM {schema}.jobs AS job
    WHERE state IN ('retrying', 'completed', 'discarded', 'cancelled')
        AND {matches}
        AND (
            held_key IS NOT NULL
            OR (SELECT holder.id FROM {schema}.jobs AS holder WHERE holder.held_key = job.unique_key) IS NULL
        )
    ORDER BY id DESC LIMIT %(limit)s FOR UPDATE OF job
),
chosen AS (
    SELECT DISTINCT ON (coalesce(unique_key, id::text), unique_key IS NULL) id
    FROM fitting ORDER BY coalesce(unique_key, id::text), unique_key IS NULL, id DESC
)
UPDATE {schema}.jobs
SET state = 'pending', run_at = {now}, max_attempts = greatest(max_attempts, least(attempt, 2147483646) + 1),
    finished_at = NULL, result = NULL, cancel_requested = FALSE, held_key = unique_key, updated_at = {now}
WHERE id = ANY (ARRAY(SELECT id FROM chosen))
RETURNING id
