-- Effect: discard the waiting jobs that have the largest possible attempt number, so they cannot be claimed.
-- Locks: write. Index: none. It reads every waiting job, but runs only after a claim has failed.
UPDATE {prefix}_jobs
SET state = 'discarded', last_error = :error, error_type = :error_type, finished_at = :now, updated_at = :now,
    held_key = iif(unique_until IN ('finished', 'started'), NULL, held_key)
WHERE state IN ('pending', 'retrying') AND attempt = 2147483647
RETURNING id
