-- Effect: make a job pending again, due now, unless another job holds its unique key.
-- Locks: write. Index: primary key; {prefix}_held_keys finds the other job, and OR IGNORE then skips the update.
UPDATE OR IGNORE {prefix}_jobs
SET state = 'pending', run_at = :now, max_attempts = max(max_attempts, min(attempt, 2147483646) + 1),
    finished_at = NULL, result = NULL, cancel_requested = FALSE, held_key = unique_key, updated_at = :now
WHERE id = :id AND state NOT IN ('pending', 'running')
