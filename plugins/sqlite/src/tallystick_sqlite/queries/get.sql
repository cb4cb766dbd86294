-- Effect: read the record with the given id.
-- Locks: none. Index: primary key.
SELECT {columns}
FROM {prefix}_jobs
WHERE id = :id
