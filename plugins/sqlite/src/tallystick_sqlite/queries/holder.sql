-- Effect: read the record that holds a unique key.
-- Locks: none. Index: tallystick_held_keys.
SELECT
    id, kind, queue, payload, priority, state, attempt, max_attempts, run_at, created_at, updated_at, attempted_at,
    finished_at, lease_until, worker, cancel_requested, unique_key, unique_until, last_error, result, tags
FROM tallystick_jobs
WHERE held_key = :unique_key
