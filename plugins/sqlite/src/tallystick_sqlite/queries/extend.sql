-- Effect: extend the lease of a current claim; return whether cancellation was requested.
-- Locks: write. Index: primary key.
UPDATE {prefix}_jobs
SET lease_until = :until, updated_at = :now
WHERE id = :id AND state = 'running' AND attempt = :attempt
RETURNING cancel_requested
