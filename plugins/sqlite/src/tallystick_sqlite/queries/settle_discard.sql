-- Effect: end the attempt of a current claim as discarded.
-- Locks: write. Index: primary key.
UPDATE tallystick_jobs
SET state = 'discarded', last_error = :error, finished_at = :now, updated_at = :now, lease_until = NULL,
    held_key = CASE unique_until WHEN 'purged' THEN held_key END
WHERE id = :id AND state = 'running' AND attempt = :attempt
