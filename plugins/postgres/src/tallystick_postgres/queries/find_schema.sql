-- Effect: say whether there is a schema of this name.
-- Locks: none. Index: the catalogue's.
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %(name)s)
