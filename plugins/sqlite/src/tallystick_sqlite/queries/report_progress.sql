-- Effect: set the progress of a current claim.
-- Locks: write. Index: primary key.
UPDATE {prefix}_jobs
SET progress = :progress, updated_at = :now
WHERE id = :id AND state = 'running' AND attempt = :attempt
