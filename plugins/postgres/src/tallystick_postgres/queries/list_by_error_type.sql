-- Effect: read one page of records below an id, newest first, that have one of some types of errors and match a filter.
-- Locks: none. Index: jobs_error_types, read for each type until the page is full. The type is part of the order, and is
--     compared by ANY. With `=` the planner would drop it from the order, and might read jobs_errors instead, where all
--     records of a common type may be old.
SELECT page.*
FROM unnest(%(error_types)s::text[]) AS asked (error_type)
CROSS JOIN LATERAL (
    SELECT {columns}
    FROM {schema}.jobs
    WHERE last_error IS NOT NULL AND error_type = ANY (ARRAY[asked.error_type])
        AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
        AND {matches}
    ORDER BY error_type DESC, id DESC LIMIT %(limit)s
) AS page
ORDER BY page.id DESC
LIMIT %(limit)s
