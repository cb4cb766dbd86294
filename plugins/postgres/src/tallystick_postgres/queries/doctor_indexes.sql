-- Effect: read the indexes of the schema, and whether each can be used.
-- Locks: none. Index: the catalogue's.
SELECT class.relname, index.indisvalid AND index.indisready
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indexrelid
WHERE class.relnamespace = '{schema}'::regnamespace
