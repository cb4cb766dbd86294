-- Effect: create the table of applied migrations, which marks the schema as Tallystick's.
-- Locks: the catalog. Index: none.
-- Only PostgreSQL: SQLite has the version in the file's header.
CREATE TABLE {schema}.tallystick_migrations (
    version    integer     NOT NULL PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT statement_timestamp()
)
