-- Effect: read how many migrations were applied.
-- Locks: none. Index: primary key.
SELECT coalesce(max(version), 0) FROM {schema}.tallystick_migrations
