-- Effect: end the attempts of current claims. `state` is the outcome's, but a job with a requested cancellation is
--     cancelled instead of waiting again. A finished job releases its unique key, unless it holds it longer.
--     A delay is added in UTC, because in other time zones a day may have 23 or 25 hours.
-- Locks: the rows of these jobs. Index: primary key. The check of the claim is a CASE, which the planner cannot use.
--     For `state = 'running'` it might scan all of jobs_leases, with the entries of every job that ran since the last
--     vacuum. If few jobs ran at the last ANALYZE, it might compare each job of the batch with each other one.
UPDATE {schema}.jobs AS job
SET state = CASE
        WHEN job.cancel_requested AND ended.state IN ('pending', 'retrying') THEN 'cancelled'
        ELSE ended.state
    END,
    run_at = CASE
        WHEN job.cancel_requested OR ended.state NOT IN ('pending', 'retrying') THEN job.run_at
        ELSE coalesce(
            ended.run_at, ({now} AT TIME ZONE 'UTC' + coalesce(ended.delay, '0'::interval)) AT TIME ZONE 'UTC'
        )
    END,
    max_attempts = CASE
        WHEN ended.state = 'pending' THEN least(job.max_attempts, 2147483646) + 1
        ELSE job.max_attempts
    END,
    finished_at = CASE
        WHEN job.cancel_requested OR ended.state NOT IN ('pending', 'retrying')
            THEN {now}
    END,
    held_key = CASE
        WHEN (job.cancel_requested OR ended.state NOT IN ('pending', 'retrying')) AND job.unique_until IN ('started', 'finished')
            THEN NULL
        ELSE job.held_key
    END,
    result = CASE WHEN ended.state = 'completed' THEN ended.result ELSE job.result END,
    last_error = coalesce(ended.error, job.last_error),
    error_type = CASE WHEN ended.error IS NULL THEN job.error_type ELSE ended.error_type END,
    errors = CASE
        WHEN ended.entry IS NULL THEN job.errors
        ELSE {schema}.append_error(job.errors, ended.entry, {now})
    END,
    lease_until = NULL, updated_at = {now}
FROM unnest(
    %(ids)s::uuid[], %(attempts)s::bigint[], %(states)s::text[], %(run_ats)s::timestamptz[], %(delays)s::interval[],
    %(errors)s::text[], %(error_types)s::text[], %(entries)s::text[], %(results)s::bytea[]
) AS ended (id, attempt, state, run_at, delay, error, error_type, entry, result)
WHERE job.id = ANY (%(ids)s::uuid[]) AND job.id = ended.id
    AND CASE WHEN job.state = 'running' THEN job.attempt = ended.attempt ELSE FALSE END
RETURNING job.id, job.attempt
