-- Effect: read the earliest run_at of the waiting jobs in the queues that are not paused; NULL if there are none.
-- Locks: none. Index: {prefix}_waiting. It reads one entry for each (queue, priority), however many jobs wait.
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
)
SELECT min((
    SELECT min(run_at) FROM {prefix}_jobs
    WHERE queue = lane.queue AND priority = lane.priority AND state IN ('pending', 'retrying')
))
FROM lane
