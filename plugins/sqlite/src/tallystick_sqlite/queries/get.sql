-- Effect: read the record with the given id.
-- Locks: none. Index: primary key.
SELECT {columns}
FROM tallystick_jobs
WHERE id = :id
