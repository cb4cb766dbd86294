-- Effect: begin an attempt of the first due jobs, in claiming order, of the queues that are not paused. A job
--     releases its unique key if it holds it until it is started.
-- Locks: the rows of the claimed jobs; skips rows that another transaction has locked.
-- Index: jobs_waiting; primary key.
-- Order: the rows are in no order. `n` is the number of jobs in `first`. If no job is claimed, one row has only `n`.
--
-- A lane is one (queue, priority); the index keeps its jobs in claiming order. `lane` jumps from the first job of one
-- lane to the first job of the next, and reads no job in between. `first` holds the first `look` due jobs of all lanes.
-- `taken` locks `limit` of them, one by one in claiming order, so it locks no job that it does not claim.
--
-- If other clients hold some of these jobs, the caller repeats the statement with a larger `look`. It passes the ids of
-- the jobs that it has claimed so far: another client may make one of them due again, and the call must not return it
-- twice.
--
-- Until vacuum removes them, the index entries of claimed jobs stay at the head of a lane, and vacuum removes nothing
-- while an older transaction is open. So the statement scans a lane from its head only once, then from its first job.
--
-- `taken` rechecks the state, time and queue of the row that it locks, because another client may have changed them
-- since `first` was read. The check is a CASE, so that it does not affect the plan: see settle. The lease is added in UTC, because in other time zones a day may have 23 or 25 hours.
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
        AND CASE
            WHEN state IN ('pending', 'retrying') THEN run_at <= {now} AND queue = ANY (ARRAY(SELECT queue FROM lane))
            ELSE FALSE
        END
    ORDER BY priority DESC, run_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
),
claimed AS (
    UPDATE {schema}.jobs
    SET state = 'running', attempt = attempt + 1, worker = %(worker)s,
        lease_until = ({now} AT TIME ZONE 'UTC' + %(lease)s) AT TIME ZONE 'UTC',
        held_key = CASE WHEN unique_until <> 'started' THEN held_key END,
        attempted_at = {now}, updated_at = {now}, progress = NULL
    WHERE id = ANY (ARRAY(SELECT id FROM taken))
    RETURNING {columns}
)
SELECT claimed.*, looked.n
FROM (SELECT count(*) AS n FROM first) AS looked
LEFT JOIN claimed ON TRUE
