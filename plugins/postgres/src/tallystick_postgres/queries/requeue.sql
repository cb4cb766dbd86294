-- Effect: make the jobs that match a filter pending again, due now, if the unique key that they take is free. If several
--     have the same key, requeue only the newest. If another transaction takes a key during the statement,
--     jobs_held_keys makes the whole statement fail.
-- Locks: the rows of these jobs, newest first. It waits for a locked row, then rechecks it. Index: as in list;
--     jobs_held_keys at most twice for each job. With NOT EXISTS the planner would read the whole table into a hash.
-- Order: the rows are in no order. A row has the id of a changed job, or a key whose holder holds it for a time that has
--     passed. The caller releases this key and repeats the statement.
--
-- `takes` is the key that a job takes. A job that was started, or whose own time has passed, needs no key.
WITH fitting AS MATERIALIZED (
    SELECT id, held_key, CASE
        WHEN unique_until = 'started' AND attempt > 0 THEN NULL
        WHEN {schema}.key_has_passed(unique_until, created_at, {now}) THEN NULL
        ELSE unique_key
    END AS takes
    FROM {schema}.jobs AS job
    WHERE state IN ('retrying', 'completed', 'discarded', 'cancelled')
        AND {matches}
        AND (
            held_key IS NOT NULL
            OR (unique_until = 'started' AND attempt > 0)
            OR {schema}.key_has_passed(unique_until, created_at, {now})
            OR (
                SELECT holder.id FROM {schema}.jobs AS holder
                WHERE holder.held_key = job.unique_key
                    AND NOT {schema}.key_has_passed(holder.unique_until, holder.created_at, {now})
            ) IS NULL
        )
    ORDER BY id DESC LIMIT %(limit)s FOR UPDATE OF job
),
chosen AS MATERIALIZED (
    SELECT DISTINCT ON (coalesce(takes, id::text), takes IS NULL) id, takes, CASE
        WHEN held_key IS NULL
            THEN (SELECT holder.id FROM {schema}.jobs AS holder WHERE holder.held_key = takes)
    END AS holder
    FROM fitting ORDER BY coalesce(takes, id::text), takes IS NULL, id DESC
),
changed AS (
    UPDATE {schema}.jobs AS job
    SET state = 'pending', run_at = {now}, max_attempts = greatest(max_attempts, least(attempt, 2147483646) + 1),
        finished_at = NULL, result = NULL, cancel_requested = FALSE, updated_at = {now}, last_error = last_error,
        held_key = CASE
            WHEN unique_until = 'started' AND attempt > 0 THEN NULL
            WHEN {schema}.key_has_passed(unique_until, created_at, {now}) THEN NULL
            ELSE unique_key
        END
    WHERE id = ANY (ARRAY(SELECT id FROM chosen WHERE holder IS NULL))
    RETURNING id
)
SELECT id, NULL FROM changed
UNION ALL
SELECT NULL, takes FROM chosen WHERE holder IS NOT NULL
