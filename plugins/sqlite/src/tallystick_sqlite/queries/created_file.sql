-- Effect: read whether setup created the file.
-- Locks: none. Index: none; the table has a row for each migration.
-- Only SQLite: see set_created_file.
SELECT max(created_file) FROM {prefix}_migrations
