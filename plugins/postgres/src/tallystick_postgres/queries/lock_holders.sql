-- Effect: lock the jobs that hold one of the unique keys.
-- Locks: the rows of these jobs, newest first. Index: jobs_held_keys.
-- Only PostgreSQL: SQLite has one writer.
SELECT id FROM {schema}.jobs
WHERE held_key = ANY (%(keys)s::text[])
ORDER BY id DESC FOR UPDATE
