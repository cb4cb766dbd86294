-- Effect: insert one new job, as `insert` does for a batch; the server parses and plans it in half the time.
-- Locks: waits only for another transaction that is inserting the same id or the same unique key.
--     Index: primary key, jobs_held_keys.
-- Only PostgreSQL: SQLite inserts the jobs of a batch one by one, so its `insert` is this statement.
-- Order: at most one row is returned.
INSERT INTO {schema}.jobs ({new_columns}, run_at, tags, created_at, updated_at, held_key)
VALUES (
    {new_value},
    coalesce(
        %(run_at)s::timestamptz,
        ({now} AT TIME ZONE 'UTC' + coalesce(%(delay)s::interval, '0'::interval)) AT TIME ZONE 'UTC'
    ),
    %(tags)s::text[], {now}, {now}, %(unique_key)s::text
)
ON CONFLICT DO NOTHING
RETURNING created_at
