-- Effect: make a job pending again, due now, unless another job holds the unique key that it needs. A job that has
--     started, or whose time has passed, needs no key if it holds its key until then.
-- Locks: write. Index: primary key; {prefix}_held_keys finds the other job, and OR IGNORE then skips the update.
UPDATE OR IGNORE {prefix}_jobs
SET state = 'pending', run_at = :now, max_attempts = max(max_attempts, min(attempt, 2147483646) + 1),
    finished_at = NULL, result = NULL, cancel_requested = FALSE, updated_at = :now,
    held_key = iif((unique_until = 'started' AND attempt > 0) OR {passed}, NULL, unique_key)
WHERE id = :id AND state NOT IN ('pending', 'running')
