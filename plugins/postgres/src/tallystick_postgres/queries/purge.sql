-- Effect: delete records in some final states that finished before a given time.
-- Locks: the rows of these jobs; skips rows that another transaction has locked. Index: jobs_finished.
WITH old AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE state = ANY (%(states)s::text[]) AND finished_at IS NOT NULL AND finished_at < %(before)s
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM {schema}.jobs
    WHERE id = ANY (ARRAY(SELECT id FROM old))
    RETURNING id
)
SELECT count(*) FROM gone
