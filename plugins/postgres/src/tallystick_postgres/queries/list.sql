-- Effect: read one page of records below an id, newest first, that match a filter. A NULL list matches every record.
-- Locks: none. Index: primary key, read until the page is full, or another index if the filter is selective. The
--     condition on finished_at lets the planner use jobs_finished for final states.
SELECT {columns}
FROM {schema}.jobs
WHERE (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
    AND (NOT %(are_final)s OR finished_at IS NOT NULL)
    AND {matches}
ORDER BY id DESC
LIMIT %(limit)s
