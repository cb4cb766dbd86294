-- Effect: mark the schema as ours, by the table of what was applied to it.
-- Locks: the catalogue's. Index: none.
CREATE TABLE {schema}.tallystick_migrations (
    version    integer     NOT NULL PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT statement_timestamp()
)
