-- Effect: release a current claim. The job becomes pending, or cancelled if that was requested.
-- Locks: write. Index: primary key.
UPDATE tallystick_jobs
SET state = iif(cancel_requested, 'cancelled', 'pending'), max_attempts = min(max_attempts, 2147483646) + 1, updated_at = :now,
    lease_until = NULL,
    run_at = iif(cancel_requested, run_at, :run_at),
    finished_at = iif(cancel_requested, :now, NULL),
    held_key = iif(cancel_requested AND unique_until = 'finished', NULL, held_key)
WHERE id = :id AND state = 'running' AND attempt = :attempt
