-- Effect: read the waiting jobs in a range of ids that match a filter, the earliest run_at first, behind a time and an id.
-- Locks: none. Index: {prefix}_waiting. It is searched once for each lane, then read until the caller has enough.
--
-- `known` are the queues in which jobs wait. `lane` and `found` are `lane` and `due` of claim: a lane is one
-- (queue, priority), and `found` is a priority queue with the next job of each lane. LIMIT -1 keeps its ORDER BY, which
-- SQLite would omit in a join.
WITH RECURSIVE known (queue) AS (
    SELECT min(queue) FROM {prefix}_jobs WHERE state IN ('pending', 'retrying')
    UNION ALL
    SELECT (SELECT min(queue) FROM {prefix}_jobs WHERE state IN ('pending', 'retrying') AND queue > known.queue)
    FROM known
    WHERE known.queue IS NOT NULL
),
lane (queue, priority) AS (
    SELECT
        known.queue,
        (
            SELECT max(priority) FROM {prefix}_jobs
            WHERE queue = known.queue AND state IN ('pending', 'retrying')
        )
    FROM known
    WHERE known.queue IS NOT NULL
        AND (:queues IS NULL OR known.queue IN (SELECT value FROM json_each(:queues)))
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
found (place, its_queue, its_priority, due, its_id) AS (
    SELECT job.rowid, job.queue, job.priority, job.run_at, job.id
    FROM lane CROSS JOIN {prefix}_jobs AS job ON job.rowid = (
        SELECT rowid FROM {prefix}_jobs
        WHERE queue = lane.queue AND priority = lane.priority AND state IN ('pending', 'retrying')
            AND (run_at, id) > (:after_time, :after)
            AND +id >= :lowest_id AND +id < :highest_id
        ORDER BY run_at, id
        LIMIT 1
    )
    UNION ALL
    SELECT job.rowid, job.queue, job.priority, job.run_at, job.id
    FROM found CROSS JOIN {prefix}_jobs AS job ON job.rowid = (
        SELECT rowid FROM {prefix}_jobs
        WHERE queue = found.its_queue AND priority = found.its_priority AND state IN ('pending', 'retrying')
            AND (run_at, id) > (found.due, found.its_id)
            AND +id >= :lowest_id AND +id < :highest_id
        ORDER BY run_at, id
        LIMIT 1
    )
    ORDER BY 4, 5
    LIMIT -1
)
SELECT job.id, iif(:error_part IS NULL, NULL, job.error_words), job.run_at
FROM found CROSS JOIN {prefix}_jobs AS job ON job.rowid = found.place
WHERE {matches}
