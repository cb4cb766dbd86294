-- Effect: end attempts with an expired lease. The job waits for its next attempt, unless cancellation was requested
--     (it is cancelled) or no attempt is left (it is discarded).
-- Locks: the rows of these jobs; skips rows that another transaction has locked. Index: jobs_leases; primary key.
WITH expired AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE state = 'running' AND lease_until <= {now}
    ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE {schema}.jobs
SET state = CASE
        WHEN cancel_requested THEN 'cancelled'
        WHEN attempt >= max_attempts THEN 'discarded'
        ELSE 'retrying'
    END,
    run_at = CASE
        WHEN cancel_requested OR attempt >= max_attempts THEN run_at
        ELSE {now}
    END,
    finished_at = CASE
        WHEN cancel_requested OR attempt >= max_attempts THEN {now}
    END,
    held_key = CASE
        WHEN (cancel_requested OR attempt >= max_attempts) AND unique_until IN ('started', 'finished') THEN NULL
        ELSE held_key
    END,
    last_error = %(error)s, error_type = %(error_type)s,
    errors = {schema}.append_error(errors, '{"attempt": ' || attempt || ', ' || substr(%(error)s, 2), {now}),
    lease_until = NULL, updated_at = {now}
WHERE id = ANY (ARRAY(SELECT id FROM expired))
RETURNING {columns}
