-- Effect: receive notifications about jobs of this schema that may be due, until the connection ends.
-- Locks: none. Index: none.
-- Only PostgreSQL: on SQLite, wait polls data_version.
LISTEN {channel}
