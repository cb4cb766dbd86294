-- Effect: end attempts with an expired lease. The job waits for its next attempt, unless cancellation was requested
--     (it is cancelled) or no attempt is left (it is discarded).
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
    last_error = :error, lease_until = NULL, updated_at = :now
WHERE rowid IN (
    SELECT rowid FROM {prefix}_jobs WHERE state = 'running' AND lease_until <= :now ORDER BY lease_until LIMIT :limit
)
RETURNING {columns}
