-- Effect: set the progress of current claims. No index has a changed column, so the update is heap-only.
-- Locks: the rows of these jobs. Index: primary key. The check of the claim is a CASE, which the planner cannot use:
--     see extend.
UPDATE {schema}.jobs AS job
SET progress = '{"at": ' || (extract(epoch FROM {now}) * 1000000)::bigint || ', ' || substr(reported.entry, 2),
    updated_at = {now}, last_error = job.last_error
FROM unnest(%(ids)s::uuid[], %(attempts)s::bigint[], %(entries)s::text[]) AS reported (id, attempt, entry)
WHERE job.id = ANY (%(ids)s::uuid[]) AND job.id = reported.id
    AND CASE WHEN job.state = 'running' THEN job.attempt = reported.attempt ELSE FALSE END
RETURNING job.id, job.attempt
