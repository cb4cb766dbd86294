-- Effect: read one page of waiting jobs that are retrying or have an error, and match a filter, the earliest run_at first,
--     behind a time and an id.
-- Locks: none. Index: jobs_retrying, read until the page is full, or jobs_error_types if the filter is selective.
SELECT {columns}
FROM {schema}.jobs
WHERE state IN ('pending', 'retrying') AND (state = 'retrying' OR last_error IS NOT NULL)
    AND (%(after)s::uuid IS NULL OR (run_at, id) > (%(after_time)s::timestamptz, %(after)s::uuid))
    AND {matches}
ORDER BY run_at, id
LIMIT %(limit)s
