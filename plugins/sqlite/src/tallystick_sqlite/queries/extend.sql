-- Effect: move the lease of an attempt that has not ended; return whether its owner was asked to stop.
-- Locks: write. Index: primary key.
UPDATE tallystick_jobs
SET lease_until = :until, updated_at = :now
WHERE id = :id AND state = 'running' AND attempt = :attempt
RETURNING cancel_requested
