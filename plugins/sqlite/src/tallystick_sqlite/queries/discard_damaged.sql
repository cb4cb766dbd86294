-- Effect: discard the waiting jobs that cannot be claimed, since no attempt can follow theirs.
-- Locks: write. Index: none; every job that waits is read. It is executed only when a claim failed.
UPDATE tallystick_jobs
SET state = 'discarded', last_error = :error, finished_at = :now, updated_at = :now,
    held_key = CASE unique_until WHEN 'purged' THEN held_key END
WHERE state IN ('pending', 'retrying') AND attempt = 2147483647
RETURNING id
