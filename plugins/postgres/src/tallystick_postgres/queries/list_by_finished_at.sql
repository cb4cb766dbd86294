-- Effect: read one page of finished records that match a filter, the latest first, behind a time and an id.
-- Locks: none. Index: jobs_finished, once for each state, read until the page is full. Records that finished at the same
--     time are sorted by id. With a range of created_at, jobs_finished for the records that finished in the range or up
--     to an hour later, and jobs_late for the others.
SELECT page.*
FROM (
    SELECT page.*
    FROM unnest(%(finals)s::text[]) AS final (state)
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE state = final.state AND finished_at IS NOT NULL
            AND (%(prompt_since)s::timestamptz IS NULL OR finished_at >= %(prompt_since)s::timestamptz)
            AND (%(prompt_until)s::timestamptz IS NULL OR finished_at < %(prompt_until)s::timestamptz)
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
    UNION ALL
    (
        SELECT {columns}
        FROM {schema}.jobs
        WHERE state = ANY (%(finals)s::text[]) AND {is_late}
            AND (finished_at < %(prompt_since)s::timestamptz OR finished_at >= %(prompt_until)s::timestamptz)
            AND (
                %(after)s::uuid IS NULL
                OR (
                    finished_at <= %(after_time)s::timestamptz
                    AND (finished_at, id) < (%(after_time)s::timestamptz, %(after)s::uuid)
                )
            )
            AND {matches}
        ORDER BY finished_at DESC, id DESC LIMIT %(limit)s
    )
) AS page
ORDER BY page.finished_at DESC, page.id DESC
LIMIT %(limit)s
