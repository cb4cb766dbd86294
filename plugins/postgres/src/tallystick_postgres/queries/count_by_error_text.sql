-- Effect: count the records that have some text in their error and match a filter, up to a maximum.
-- Locks: none. Index: jobs_errors, read alone; primary key for each record with the text.
-- Only PostgreSQL: on SQLite, the client counts the rows of list_by_error.
SELECT count(*)
FROM (
    SELECT
    FROM {schema}.jobs AS failed
    CROSS JOIN LATERAL (SELECT FROM {schema}.jobs WHERE id = failed.id AND {matches} OFFSET 0) AS found
    WHERE failed.last_error IS NOT NULL AND {has_words}
    LIMIT %(at_most)s
) AS counted
