-- Effect: record that the next migration was applied.
-- Locks: write. Index: primary key.
INSERT INTO {prefix}_migrations (version)
SELECT coalesce(max(version), 0) + 1 FROM {prefix}_migrations
