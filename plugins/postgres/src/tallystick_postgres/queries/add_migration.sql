-- Effect: record that the next migration was applied.
-- Locks: none. Index: primary key.
INSERT INTO {schema}.tallystick_migrations (version)
SELECT coalesce(max(version), 0) + 1 FROM {schema}.tallystick_migrations
