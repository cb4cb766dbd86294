-- Effect: request cancellation of a running job.
-- Locks: write. Index: primary key.
UPDATE tallystick_jobs
SET cancel_requested = TRUE, updated_at = :now
WHERE id = :id AND state = 'running' AND NOT cancel_requested
