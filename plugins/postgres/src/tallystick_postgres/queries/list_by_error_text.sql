-- Effect: read one page of records below an id, newest first, that have some text in their error and match a filter.
-- Locks: none. Index: jobs_errors, read alone until the page is full; primary key for each record with the text.
-- Only PostgreSQL: on SQLite, list_by_error does so.
SELECT page.*
FROM {schema}.jobs AS failed
CROSS JOIN LATERAL (SELECT {columns} FROM {schema}.jobs WHERE id = failed.id AND {matches} OFFSET 0) AS page
WHERE failed.last_error IS NOT NULL AND {has_words}
    AND (%(after)s::uuid IS NULL OR failed.id < %(after)s::uuid)
ORDER BY failed.id DESC
LIMIT %(limit)s
