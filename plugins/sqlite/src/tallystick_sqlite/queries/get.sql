-- Effect: read the record with the given id, its errors and its progress.
-- Locks: none. Index: primary key.
SELECT {record}, errors, progress
FROM {prefix}_jobs
WHERE id = :id
