-- Effect: release each of the unique keys that a job holds for a time that has passed.
-- Locks: the rows of these jobs, newest first. It waits for a locked row, then rechecks it. Index: jobs_held_keys.
WITH passed AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE held_key = ANY (%(keys)s::text[]) AND {schema}.key_has_passed(unique_until, created_at, {now})
    ORDER BY id DESC FOR UPDATE
)
UPDATE {schema}.jobs
SET held_key = NULL
WHERE id = ANY (ARRAY(SELECT id FROM passed))
RETURNING id
