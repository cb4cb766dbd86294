-- Effect: hold current claims until a new moment.
-- Locks: the rows of these jobs. Index: primary key.
UPDATE {schema}.jobs AS job
SET lease_until = {now} + %(lease)s,
    updated_at = {now}
FROM unnest(%(ids)s::uuid[], %(attempts)s::bigint[]) AS held (id, attempt)
WHERE job.id = held.id AND job.attempt = held.attempt AND job.state = 'running'
RETURNING job.id, job.attempt, job.cancel_requested
