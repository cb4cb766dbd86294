-- Effect: discard the waiting jobs that have the largest possible attempt number, so they cannot be claimed.
-- Locks: the rows of these jobs, newest first. Index: none. It reads every waiting job, but runs only after a claim
--     has failed.
WITH last AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE state IN ('pending', 'retrying') AND attempt = 2147483647
    ORDER BY id DESC FOR UPDATE
)
UPDATE {schema}.jobs
SET state = 'discarded', last_error = %(error)s, error_type = %(error_type)s, finished_at = {now}, updated_at = {now},
    held_key = CASE WHEN unique_until IN ('started', 'finished') THEN NULL ELSE held_key END
WHERE id = ANY (ARRAY(SELECT id FROM last))
RETURNING id
