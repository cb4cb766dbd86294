-- Effect: read the record with the given id, and its errors.
-- Locks: none. Index: primary key.
SELECT {columns}, errors
FROM {prefix}_jobs
WHERE id = :id
