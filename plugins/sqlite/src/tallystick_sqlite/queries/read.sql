-- Effect: read the record with the given id, without its errors and its progress.
-- Locks: none. Index: primary key.
-- Only SQLite: on PostgreSQL, list reads the records of a page.
SELECT {record}
FROM {prefix}_jobs
WHERE id = :id
