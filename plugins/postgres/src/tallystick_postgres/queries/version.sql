-- Effect: read the number of applied migrations.
-- Locks: none. Index: primary key.
SELECT coalesce(max(version), 0) FROM {schema}.tallystick_migrations
