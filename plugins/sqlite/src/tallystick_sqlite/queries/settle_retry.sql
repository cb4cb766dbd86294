-- Effect: end the attempt of a current claim. The job waits to be retried, or is cancelled if that was requested.
-- Locks: write. Index: primary key.
UPDATE tallystick_jobs
SET state = iif(cancel_requested, 'cancelled', 'retrying'), last_error = :error, updated_at = :now, lease_until = NULL,
    run_at = iif(cancel_requested, run_at, :run_at),
    finished_at = iif(cancel_requested, :now, NULL),
    held_key = iif(cancel_requested AND unique_until = 'finished', NULL, held_key)
WHERE id = :id AND state = 'running' AND attempt = :attempt
