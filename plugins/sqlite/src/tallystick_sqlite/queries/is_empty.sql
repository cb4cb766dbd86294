-- Effect: read whether the file contains no tables.
-- Locks: none. Index: none.
SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)
