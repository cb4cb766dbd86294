-- Effect: read the records with the given ids.
-- Locks: none. Index: primary key.
SELECT
    id, kind, queue, payload, priority, state, attempt, max_attempts, run_at, created_at, updated_at, attempted_at,
    finished_at, lease_until, worker, cancel_requested, unique_key, unique_until, last_error, result, tags
FROM {schema}.jobs
WHERE id = ANY (%(ids)s::uuid[])
