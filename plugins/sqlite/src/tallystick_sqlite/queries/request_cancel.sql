-- Effect: flag a running job for its owner to stop.
-- Locks: write. Index: primary key.
UPDATE tallystick_jobs
SET cancel_requested = TRUE, updated_at = :now
WHERE id = :id AND state = 'running' AND NOT cancel_requested
