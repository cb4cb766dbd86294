-- Effect: read one page of records below an id, newest first, that match a filter with a range of times.
-- Locks: none. Index: primary key, read from the highest id of the range until the page is full or the range ends, and
--     jobs_other_ids. With a range of finished_at, also jobs_late for the records that were created earlier.
-- Only PostgreSQL: on SQLite, the client merges list and list_by_other_id.
SELECT page.*
FROM (
    (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE id >= %(lowest_prompt_id)s::uuid AND id < %(highest_id)s::uuid
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
            AND {matches}
        ORDER BY id DESC LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE {is_other_id}
            AND NOT (id >= %(lowest_prompt_id)s::uuid AND id < %(highest_id)s::uuid)
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
            AND {matches}
        ORDER BY id DESC LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT late.*
        FROM (
            SELECT {columns}
            FROM {schema}.jobs
            WHERE {is_late} AND created_at < %(prompt_created)s::timestamptz AND NOT {is_other_id}
                AND {matches}
            ORDER BY finished_at DESC OFFSET 0
        ) AS late
        WHERE id < %(lowest_prompt_id)s::uuid
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
        ORDER BY id DESC LIMIT %(limit)s
    )
) AS page
ORDER BY page.id DESC
LIMIT %(limit)s
