-- Effect: read whether the schema has the table of applied migrations, which marks it as Tallystick's.
-- Locks: none. Index: those of the catalog.
-- Only PostgreSQL: on SQLite, version reads the mark too.
SELECT to_regclass('{schema}.tallystick_migrations') IS NOT NULL
