-- Effect: make a job pending again and due now, unless another holds its unique key.
-- Locks: write. Index: primary key; tallystick_held_keys finds the other, and OR IGNORE leaves the job as it was.
UPDATE OR IGNORE tallystick_jobs
SET state = 'pending', run_at = :now, max_attempts = max(max_attempts, min(attempt, 2147483646) + 1), finished_at = NULL, result = NULL,
    cancel_requested = FALSE, held_key = unique_key, updated_at = :now
WHERE id = :id AND state NOT IN ('pending', 'running')
