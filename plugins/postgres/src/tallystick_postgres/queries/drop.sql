-- Effect: drop everything that the migrations created, including all records.
-- Locks: every table, exclusively. Index: none.
DROP VIEW {schema}.jobs_readable;
DROP TABLE {schema}.jobs, {schema}.counts, {schema}.paused_queues, {schema}.schedules, {schema}.workers, {schema}.meters,
    {schema}.tallystick_migrations;
DROP FUNCTION {schema}.jobs_inserted(), {schema}.jobs_updated(),
    {schema}.jobs_deleted(), {schema}.wake(text, timestamptz), {schema}.append_error(text[], text, timestamptz), {schema}.readable(bytea),
    {schema}.claim(text[], integer, text, interval, timestamptz, integer, uuid[]), {schema}.next_due(text[]),
    {schema}.due(text, bigint, timestamptz), {schema}.key_has_passed(text, timestamptz, timestamptz)
