-- Effect: read one page of finished records that match a filter by errors, the latest first, behind a time and an id.
-- Locks: none. Index: jobs_failed, read alone until the page is full; primary key for each record with such an error.
SELECT page.*
FROM {schema}.jobs AS failed
CROSS JOIN LATERAL (
    SELECT {columns}
    FROM {schema}.jobs
    WHERE id = failed.id AND state = ANY (%(finals)s::text[])
        AND {matches}
    OFFSET 0
) AS page
WHERE failed.last_error IS NOT NULL AND failed.finished_at IS NOT NULL
    AND (
        %(after)s::uuid IS NULL
        OR (
            failed.finished_at <= %(after_time)s::timestamptz
            AND (failed.finished_at, failed.id) < (%(after_time)s::timestamptz, %(after)s::uuid)
        )
    )
    AND (%(error_types)s::text[] IS NULL OR failed.error_type = ANY (%(error_types)s::text[]))
    AND {has_words}
ORDER BY failed.finished_at DESC, failed.id DESC
LIMIT %(limit)s
