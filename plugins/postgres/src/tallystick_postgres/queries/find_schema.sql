-- Effect: read whether a schema of this name exists.
-- Locks: none. Index: those of the catalog.
-- Only PostgreSQL: an SQLite file has no schemas.
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %(name)s)
