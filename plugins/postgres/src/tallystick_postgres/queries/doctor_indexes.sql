-- Effect: read the indexes of the schema, and whether each is usable.
-- Locks: none. Index: those of the catalog.
-- Only PostgreSQL: only there can an index be invalid, after a failed CREATE INDEX CONCURRENTLY.
SELECT class.relname, index.indisvalid AND index.indisready
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indexrelid
WHERE class.relnamespace = '{schema}'::regnamespace
