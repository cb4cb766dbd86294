-- Effect: read whether a schema of this name exists.
-- Locks: none. Index: those of the catalog.
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %(name)s)
