-- Effect: record that setup created the file, so that teardown may delete it.
-- Locks: write. Index: none; the table has a row for each migration.
-- Only SQLite: PostgreSQL itself refuses to drop a schema that is not empty, see drop_schema there.
UPDATE {prefix}_migrations SET created_file = TRUE
