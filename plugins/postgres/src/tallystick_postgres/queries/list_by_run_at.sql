-- Effect: read one page of waiting jobs that match a filter, the earliest run_at first, behind a time and an id.
-- Locks: none. Index: jobs_waiting. It is searched once for each queue, then read in each lane until the page is full. A
--     lane is one (queue, priority), as in claim. With a range of created_at, jobs_waiting for the jobs with ids of this
--     range, and jobs_other_ids.
WITH RECURSIVE known (queue) AS (
    (SELECT queue FROM {schema}.jobs WHERE state IN ('pending', 'retrying') ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT next.queue
    FROM known
    CROSS JOIN LATERAL (
        SELECT queue FROM {schema}.jobs
        WHERE state IN ('pending', 'retrying') AND queue > known.queue
        ORDER BY queue LIMIT 1
    ) AS next
),
lane AS (
    SELECT known.queue, first.priority
    FROM known
    CROSS JOIN LATERAL (
        SELECT priority FROM {schema}.jobs
        WHERE queue = known.queue AND state IN ('pending', 'retrying')
        ORDER BY priority DESC LIMIT 1
    ) AS first
    WHERE %(queues)s::text[] IS NULL OR known.queue = ANY (%(queues)s::text[])
    UNION ALL
    SELECT lane.queue, first.priority
    FROM lane
    CROSS JOIN LATERAL (
        SELECT priority FROM {schema}.jobs
        WHERE queue = lane.queue AND state IN ('pending', 'retrying') AND priority < lane.priority
        ORDER BY priority DESC LIMIT 1
    ) AS first
)
SELECT page.*
FROM (
    SELECT page.*
    FROM lane
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE queue = lane.queue AND priority = lane.priority AND state IN ('pending', 'retrying')
            AND (%(lowest_id)s::uuid IS NULL OR (id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid))
            AND (%(after)s::uuid IS NULL OR (run_at, id) > (%(after_time)s::timestamptz, %(after)s::uuid))
            AND {matches}
        ORDER BY run_at, id LIMIT %(limit)s
    ) AS page
    UNION ALL
    (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE state IN ('pending', 'retrying') AND {is_other_id}
            AND NOT (id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid)
            AND (%(after)s::uuid IS NULL OR (run_at, id) > (%(after_time)s::timestamptz, %(after)s::uuid))
            AND {matches}
        ORDER BY run_at, id LIMIT %(limit)s
    )
) AS page
ORDER BY page.run_at, page.id
LIMIT %(limit)s
