-- Effect: say whether the schema has our mark.
-- Locks: none. Index: the catalogue's.
SELECT to_regclass('{schema}.tallystick_migrations') IS NOT NULL
