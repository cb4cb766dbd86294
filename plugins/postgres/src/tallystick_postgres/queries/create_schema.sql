-- Effect: create the schema.
-- Locks: the catalog. Index: none.
-- Only PostgreSQL: an SQLite file has no schemas.
CREATE SCHEMA {schema}
