-- Effect: read one page of finished records that match a filter, the latest first, behind a time and an id.
-- Locks: none. Index: jobs_finished, once for each state, read until the page is full. Records that finished at the same
--     time are sorted by id.
SELECT page.*
FROM unnest(%(finals)s::text[]) AS final (state)
CROSS JOIN LATERAL (
    SELECT {columns}
    FROM {schema}.jobs
    WHERE state = final.state AND finished_at IS NOT NULL
        AND (
            %(after)s::uuid IS NULL
            OR (
                finished_at <= %(after_time)s::timestamptz
                AND (finished_at, id) < (%(after_time)s::timestamptz, %(after)s::uuid)
            )
        )
        AND {matches}
    ORDER BY finished_at DESC, id DESC LIMIT %(limit)s
) AS page
ORDER BY page.finished_at DESC, page.id DESC
LIMIT %(limit)s
