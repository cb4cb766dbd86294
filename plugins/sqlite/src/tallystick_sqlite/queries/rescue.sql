-- Effect: end attempts with an expired lease. The job waits for its next attempt, unless cancellation was requested
--     (it is cancelled) or no attempt is left (it is discarded). `errors` has a line for each error, and keeps 20.
-- Locks: write. Index: {prefix}_leases.
UPDATE {prefix}_jobs
SET state = CASE
        WHEN cancel_requested THEN 'cancelled'
        WHEN attempt >= max_attempts THEN 'discarded'
        ELSE 'retrying'
    END,
    run_at = iif(cancel_requested OR attempt >= max_attempts, run_at, :now),
    finished_at = iif(cancel_requested OR attempt >= max_attempts, :now, NULL),
    held_key = iif((cancel_requested OR attempt >= max_attempts) AND unique_until = 'finished', NULL, held_key),
    last_error = :error, error_type = :error_type,
    errors = CASE
        WHEN errors IS NULL THEN ''
        WHEN length(errors) - length(replace(errors, char(10), '')) < 19 THEN errors || char(10)
        ELSE substr(errors, instr(errors, char(10)) + 1) || char(10)
    END || '{"attempt": ' || attempt || ', "at": ' || :now || ', ' || substr(:error, 2),
    lease_until = NULL, updated_at = :now
WHERE rowid IN (
    SELECT rowid FROM {prefix}_jobs WHERE state = 'running' AND lease_until <= :now ORDER BY lease_until LIMIT :limit
)
RETURNING {record}
