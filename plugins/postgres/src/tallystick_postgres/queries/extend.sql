-- Effect: extend the leases of current claims.
--     The lease is added in UTC, because in other time zones a day may have 23 or 25 hours.
-- Locks: the rows of these jobs. Index: primary key. The check of the claim is a CASE, which the planner cannot use.
--     For `state = 'running'` it might scan all of jobs_leases, with the entries of every job that ran since the last
--     vacuum. If few jobs ran at the last ANALYZE, it might compare each job of the batch with each other one.
UPDATE {schema}.jobs AS job
SET lease_until = ({now} AT TIME ZONE 'UTC' + %(lease)s) AT TIME ZONE 'UTC',
    updated_at = {now}, last_error = job.last_error
FROM unnest(%(ids)s::uuid[], %(attempts)s::bigint[]) AS held (id, attempt)
WHERE job.id = ANY (%(ids)s::uuid[]) AND job.id = held.id
    AND CASE WHEN job.state = 'running' THEN job.attempt = held.attempt ELSE FALSE END
RETURNING job.id, job.attempt, job.cancel_requested
