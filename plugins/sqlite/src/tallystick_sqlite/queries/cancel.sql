-- Effect: cancel a waiting job.
-- Locks: write. Index: primary key.
UPDATE tallystick_jobs
SET state = 'cancelled', finished_at = :now, updated_at = :now,
    held_key = CASE unique_until WHEN 'purged' THEN held_key END
WHERE id = :id AND state IN ('pending', 'retrying')
