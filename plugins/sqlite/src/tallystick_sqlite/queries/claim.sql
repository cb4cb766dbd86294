-- Effect: begin an attempt of the first due jobs, in claiming order, of the queues that are not paused. A job that holds
--     its unique key until it has started frees it.
-- Locks: write. Index: {prefix}_waiting.
-- Order: the returned rows are in no order; `claiming.py` sorts them by `claiming_order`. The ORDER BY of `due` and
--     {prefix}_waiting have the same order.
--
-- A lane is one (queue, priority); the index keeps its jobs in claiming order. `lane` jumps from one lane to the next,
-- and reads no job in between. `due` is a priority queue, ordered by its ORDER BY. It starts with the first due job of
-- each lane. Whenever it takes a job, it adds the next due job of the same lane. So the statement reads only one entry
-- for each lane and the jobs that it claims, however many jobs wait.
WITH RECURSIVE lane (queue, priority) AS (
    SELECT
        asked.value,
        (
            SELECT max(priority) FROM {prefix}_jobs
            WHERE queue = asked.value AND state IN ('pending', 'retrying')
        )
    FROM json_each(:queues) AS asked
    WHERE NOT EXISTS (SELECT 1 FROM {prefix}_queues WHERE name = asked.value AND paused)
    UNION ALL
    SELECT
        lane.queue,
        (
            SELECT max(priority) FROM {prefix}_jobs
            WHERE queue = lane.queue AND priority < lane.priority AND state IN ('pending', 'retrying')
        )
    FROM lane
    WHERE lane.priority IS NOT NULL
),
due (job, queue, priority, run_at, id) AS (
    SELECT job.rowid, job.queue, job.priority, job.run_at, job.id
    FROM lane CROSS JOIN {prefix}_jobs AS job ON job.rowid = (
        SELECT rowid FROM {prefix}_jobs
        WHERE queue = lane.queue AND priority = lane.priority AND state IN ('pending', 'retrying') AND run_at <= :now
        ORDER BY run_at, id
        LIMIT 1
    )
    UNION ALL
    SELECT job.rowid, job.queue, job.priority, job.run_at, job.id
    FROM due CROSS JOIN {prefix}_jobs AS job ON job.rowid = (
        SELECT rowid FROM {prefix}_jobs
        WHERE queue = due.queue AND priority = due.priority AND state IN ('pending', 'retrying') AND run_at <= :now
            AND (run_at, id) > (due.run_at, due.id)
        ORDER BY run_at, id
        LIMIT 1
    )
    ORDER BY 3 DESC, 4, 5
    LIMIT :limit
)
UPDATE {prefix}_jobs
SET state = 'running', attempt = attempt + 1, worker = :worker, lease_until = :until,
    attempted_at = :now, updated_at = :now, held_key = iif(unique_until = 'started', NULL, held_key),
    progress = NULL
WHERE rowid IN (SELECT job FROM due)
RETURNING {record}
