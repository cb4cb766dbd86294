-- Effect: read one page of records in any order, behind a time and an id, that match a filter. It reads and sorts all
--     matches, so the caller calls it if the filter has a range of times with few records.
-- Locks: none. Index: primary key and jobs_other_ids for a range of created_at, or jobs_finished for one of finished_at.
-- Only PostgreSQL: SQLite sorts in the client.
SELECT page.*
FROM (
    SELECT {columns}
    FROM {schema}.jobs
    WHERE (%(lowest_id)s::uuid IS NULL OR (id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid))
        AND {matches}
    UNION ALL
    SELECT {columns}
    FROM {schema}.jobs
    WHERE {is_other_id} AND NOT (id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid)
        AND {matches}
    OFFSET 0
) AS page
WHERE CASE %(order)s::text
        WHEN 'id' THEN TRUE
        WHEN 'run_at' THEN page.state IN ('pending', 'retrying')
        ELSE page.finished_at IS NOT NULL AND page.state = ANY (%(finals)s::text[])
    END
    AND CASE
        WHEN %(after)s::uuid IS NULL THEN TRUE
        WHEN %(order)s::text = 'id' THEN page.id < %(after)s::uuid
        WHEN %(order)s::text = 'run_at' THEN (page.run_at, page.id) > (%(after_time)s::timestamptz, %(after)s::uuid)
        ELSE (page.finished_at, page.id) < (%(after_time)s::timestamptz, %(after)s::uuid)
    END
ORDER BY
    CASE %(order)s::text WHEN 'run_at' THEN page.run_at END,
    CASE %(order)s::text WHEN 'run_at' THEN page.id END,
    CASE %(order)s::text WHEN 'finished_at' THEN page.finished_at END DESC,
    page.id DESC
LIMIT %(limit)s
