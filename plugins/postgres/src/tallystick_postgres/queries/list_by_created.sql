-- Effect: read one page of records below an id, newest first, that match a filter with a range of times.
-- Locks: none. Index: primary key, read from the highest id of the range until the page is full or the range ends, and
--     jobs_other_ids.
-- Only PostgreSQL: on SQLite, the client merges list and list_by_other_id.
SELECT page.*
FROM (
    (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
            AND {matches}
        ORDER BY id DESC LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE {is_other_id}
            AND NOT (id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid)
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
            AND {matches}
        ORDER BY id DESC LIMIT %(limit)s
    )
) AS page
ORDER BY page.id DESC
LIMIT %(limit)s
