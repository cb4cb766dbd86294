-- Effect: read the records that have one of the ids, or hold one of the unique keys.
-- Locks: none. Index: primary key, jobs_held_keys.
SELECT
    id, kind, queue, payload, priority, state, attempt, max_attempts, run_at, created_at, updated_at, attempted_at,
    finished_at, lease_until, worker, cancel_requested, unique_key, unique_until, last_error, result, tags,
    held_key IS NOT NULL
FROM {schema}.jobs
WHERE id = ANY (
    %(ids)s::uuid[] || ARRAY(SELECT id FROM {schema}.jobs WHERE held_key = ANY (%(keys)s::text[]))
)
