-- Effect: read the earliest run_at of the waiting jobs in the queues that are not paused; NULL if there are none.
-- Locks: none. Index: jobs_waiting. It reads one entry for each (queue, priority), however many jobs wait.
WITH RECURSIVE lane AS (
    SELECT asked.queue, first.priority, first.run_at
    FROM unnest(%(queues)s::text[]) AS asked (queue)
    CROSS JOIN LATERAL (
        SELECT priority, run_at FROM {schema}.jobs
        WHERE queue = asked.queue AND state IN ('pending', 'retrying')
        ORDER BY priority DESC, run_at LIMIT 1
    ) AS first
    WHERE NOT EXISTS (SELECT FROM {schema}.paused_queues WHERE name = asked.queue)
    UNION ALL
    SELECT lane.queue, first.priority, first.run_at
    FROM lane
    CROSS JOIN LATERAL (
        SELECT priority, run_at FROM {schema}.jobs
        WHERE queue = lane.queue AND state IN ('pending', 'retrying') AND priority < lane.priority
        ORDER BY priority DESC, run_at LIMIT 1
    ) AS first
)
SELECT min(run_at), statement_timestamp() FROM lane
