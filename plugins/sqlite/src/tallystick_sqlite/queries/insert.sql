-- Effect: insert a new job, unless its id is stored or its unique key is held.
-- Locks: write. Index: primary key and tallystick_held_keys, to find the duplicate.
INSERT INTO tallystick_jobs (
    id, kind, queue, priority, state, max_attempts, run_at, created_at, updated_at,
    unique_key, unique_until, held_key, tags, payload
)
VALUES (
    :id, :kind, :queue, :priority, 'pending', :max_attempts, :run_at, :now, :now,
    :unique_key, :unique_until, :unique_key, :tags, :payload
)
ON CONFLICT DO NOTHING
