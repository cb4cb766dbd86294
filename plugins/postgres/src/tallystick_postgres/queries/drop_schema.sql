-- Effect: drop the schema; fails if it contains anything.
-- Locks: the catalog. Index: none.
DROP SCHEMA {schema}
