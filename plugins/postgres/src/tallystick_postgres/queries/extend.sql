-- Effect: hold current claims until a new moment.
--     The lease is added in UTC: elsewhere a day may have 23 hours or 25.
-- Locks: the rows of these jobs. Index: primary key. The fence is a CASE, of which the planner expects nothing:
--     for `state = 'running'` it may read jobs_leases through, with the entries of all that ran since the last vacuum, or,
--     where few ran when it last looked, compare each of the batch with each.
UPDATE {schema}.jobs AS job
SET lease_until = ({now} AT TIME ZONE 'UTC' + %(lease)s) AT TIME ZONE 'UTC',
    updated_at = {now}
FROM unnest(%(ids)s::uuid[], %(attempts)s::bigint[]) AS held (id, attempt)
WHERE job.id = ANY (%(ids)s::uuid[]) AND job.id = held.id
    AND CASE WHEN job.state = 'running' THEN job.attempt = held.attempt ELSE FALSE END
RETURNING job.id, job.attempt, job.cancel_requested
