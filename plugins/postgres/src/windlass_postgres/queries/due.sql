-- Effect: count, for each queue with jobs that wait, those that are due, and read the earliest run_at of these.
-- Locks: none. Index: jobs_waiting; the ledger tells how many wait, so it is enough to count the fewer: those that are
--     due, or those that are not.
WITH RECURSIVE waiting AS MATERIALIZED (
    SELECT queue, sum(n)::bigint AS n
    FROM {schema}.counts
    WHERE state IN ('pending', 'retrying')
    GROUP BY queue
    HAVING sum(n) > 0
),
lane AS (
    SELECT waiting.queue, top.priority
    FROM waiting
    CROSS JOIN LATERAL (
        SELECT priority FROM {schema}.jobs
        WHERE queue = waiting.queue AND state IN ('pending', 'retrying')
        ORDER BY priority DESC LIMIT 1
    ) AS top
    UNION ALL
    SELECT lane.queue, next.priority
    FROM lane
    CROSS JOIN LATERAL (
        SELECT priority FROM {schema}.jobs
        WHERE queue = lane.queue AND state IN ('pending', 'retrying') AND priority < lane.priority
        ORDER BY priority DESC LIMIT 1
    ) AS next
)
SELECT
    waiting.queue,
    CASE
        WHEN few.due < 10000 THEN few.due
        WHEN few.later <= waiting.n / 2 THEN waiting.n - few.later
        ELSE (
            SELECT count(*)
            FROM lane
            JOIN {schema}.jobs AS job ON job.queue = lane.queue AND job.priority = lane.priority
            WHERE lane.queue = waiting.queue AND job.state IN ('pending', 'retrying') AND job.run_at <= {now}
        )
    END,
    (
        SELECT min(first.run_at)
        FROM lane
        CROSS JOIN LATERAL (
            SELECT run_at FROM {schema}.jobs
            WHERE queue = lane.queue AND priority = lane.priority AND state IN ('pending', 'retrying')
                AND run_at <= {now}
            ORDER BY run_at, id LIMIT 1
        ) AS first
        WHERE lane.queue = waiting.queue
    )
FROM waiting
CROSS JOIN LATERAL (
    SELECT
        (
            SELECT count(*)
            FROM (
                SELECT
                FROM lane
                JOIN {schema}.jobs AS job ON job.queue = lane.queue AND job.priority = lane.priority
                WHERE lane.queue = waiting.queue AND job.state IN ('pending', 'retrying') AND job.run_at <= {now}
                LIMIT 10000
            ) AS counted
        ) AS due,
        (
            SELECT count(*)
            FROM (
                SELECT
                FROM lane
                JOIN {schema}.jobs AS job ON job.queue = lane.queue AND job.priority = lane.priority
                WHERE lane.queue = waiting.queue AND job.state IN ('pending', 'retrying') AND job.run_at > {now}
                LIMIT waiting.n / 2 + 1
            ) AS counted
        ) AS later
) AS few
