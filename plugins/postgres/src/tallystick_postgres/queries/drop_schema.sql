-- Effect: drop the schema; fails if it contains anything.
-- Locks: the catalog. Index: none.
-- Only PostgreSQL: an SQLite file has no schemas.
DROP SCHEMA {schema}
