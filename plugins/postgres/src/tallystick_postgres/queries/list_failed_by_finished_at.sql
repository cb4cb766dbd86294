-- Effect: read one page of finished records that match a filter by errors, the latest first, behind a time and an id.
-- Locks: none. Index: jobs_failed, read until the page is full, or jobs_error_types if the filter is selective.
SELECT {columns}
FROM {schema}.jobs
WHERE last_error IS NOT NULL AND finished_at IS NOT NULL AND state = ANY (%(finals)s::text[])
    AND (
        %(after)s::uuid IS NULL
        OR (
            finished_at <= %(after_time)s::timestamptz
            AND (finished_at, id) < (%(after_time)s::timestamptz, %(after)s::uuid)
        )
    )
    AND {matches}
ORDER BY finished_at DESC, id DESC
LIMIT %(limit)s
