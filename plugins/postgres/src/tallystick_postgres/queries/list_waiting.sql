-- Effect: read one page of waiting jobs of some states and queues below an id, newest first. It reads only the newest
--     `look` waiting jobs below the id.
-- Locks: none. Index: jobs_waiting alone, read as a whole; primary key for each job of the page. Without OFFSET, the
--     planner would read the primary key instead, where all jobs near the end may have finished.
SELECT page.*
FROM (
    SELECT id
    FROM (
        SELECT id
        FROM {schema}.jobs
        WHERE state IN ('pending', 'retrying')
            AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
        OFFSET 0
    ) AS waiting
    ORDER BY id DESC LIMIT %(look)s
) AS newest
CROSS JOIN LATERAL (SELECT {columns} FROM {schema}.jobs WHERE id = newest.id AND {matches} OFFSET 0) AS page
ORDER BY newest.id DESC
LIMIT %(limit)s
