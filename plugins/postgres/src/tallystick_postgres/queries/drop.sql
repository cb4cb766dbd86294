-- Effect: remove all that the migrations made, with every record.
-- Locks: every table, against everybody. Index: none.
DROP VIEW {schema}.jobs_readable;
DROP TABLE {schema}.jobs, {schema}.counts, {schema}.paused_queues, {schema}.tallystick_migrations;
DROP FUNCTION {schema}.jobs_inserted(), {schema}.jobs_updated(), {schema}.jobs_deleted(), {schema}.wake(text),
    {schema}.readable(bytea), {schema}.due(text, bigint, timestamptz)
