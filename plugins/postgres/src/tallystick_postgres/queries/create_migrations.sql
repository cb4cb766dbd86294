-- Effect: create the table of applied migrations, which marks the schema as Tallystick's.
-- Locks: the catalog. Index: none.
CREATE TABLE {schema}.tallystick_migrations (
    version    integer     NOT NULL PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT statement_timestamp()
)
