-- Effect: begin an attempt of the first due jobs, in claiming order, of those of the queues that are not paused.
-- Locks: the rows of the jobs that it takes; skips those that another holds. Index: jobs_waiting; primary key.
--     A lane is one (queue, priority), kept in claiming order by the index; `lane` skips from the first job of each to
--     that of the next, past the jobs between. `first` are the first `look` due jobs of all lanes; of these `limit` are
--     locked, one by one in claiming order, so that no job is locked that is not taken. Where others hold some, too few
--     may be left; a call looks further then. It names what it has `taken` before, so that no job which somebody made due
--     again meanwhile is in its answer twice.
--     Entries of jobs that were claimed before stand at the head of a lane until they are vacuumed, which they are not as
--     long as some transaction is older. So a lane is searched from its head once, and then from its first job.
--     What is locked is asked again whether it waits, by a CASE, of which the planner expects nothing: see settle.
--     The lease is added in UTC: elsewhere a day may have 23 hours or 25.
-- Order: of what is returned, none. At least one row: `n` is how many `first` are, and is alone where none was taken.
WITH RECURSIVE lane AS (
    SELECT asked.queue, first.priority, first.run_at, first.id
    FROM unnest(%(queues)s::text[]) AS asked (queue)
    CROSS JOIN LATERAL (
        SELECT priority, run_at, id FROM {schema}.jobs
        WHERE queue = asked.queue AND state IN ('pending', 'retrying')
        ORDER BY priority DESC, run_at, id LIMIT 1
    ) AS first
    WHERE NOT EXISTS (SELECT FROM {schema}.paused_queues WHERE name = asked.queue)
    UNION ALL
    SELECT lane.queue, first.priority, first.run_at, first.id
    FROM lane
    CROSS JOIN LATERAL (
        SELECT priority, run_at, id FROM {schema}.jobs
        WHERE queue = lane.queue AND state IN ('pending', 'retrying') AND priority < lane.priority
        ORDER BY priority DESC, run_at, id LIMIT 1
    ) AS first
),
first AS MATERIALIZED (
    SELECT due.id
    FROM lane
    CROSS JOIN LATERAL (
        SELECT run_at, id FROM {schema}.jobs
        WHERE queue = lane.queue AND priority = lane.priority AND state IN ('pending', 'retrying')
            AND (run_at, id) >= (lane.run_at, lane.id) AND run_at <= {now}
            AND id <> ALL (%(taken)s::uuid[])
        ORDER BY run_at, id LIMIT %(look)s
    ) AS due
    ORDER BY lane.priority DESC, due.run_at, due.id LIMIT %(look)s
),
taken AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE id = ANY (ARRAY(SELECT id FROM first))
        AND CASE WHEN state IN ('pending', 'retrying') THEN run_at <= {now} ELSE FALSE END
    ORDER BY priority DESC, run_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
),
claimed AS (
    UPDATE {schema}.jobs
    SET state = 'running', attempt = attempt + 1, worker = %(worker)s, lease_until = ({now} AT TIME ZONE 'UTC' + %(lease)s) AT TIME ZONE 'UTC',
        attempted_at = {now}, updated_at = {now}
    WHERE id = ANY (ARRAY(SELECT id FROM taken))
    RETURNING
        id, kind, queue, payload, priority, state, attempt, max_attempts, run_at, created_at, updated_at,
        attempted_at, finished_at, lease_until, worker, cancel_requested, unique_key, unique_until, last_error,
        result, tags
)
SELECT claimed.*, looked.n
FROM (SELECT count(*) AS n FROM first) AS looked
LEFT JOIN claimed ON TRUE
