-- Effect: insert new jobs; skip a job whose id is stored, or whose unique key is held.
--     A delay is added in UTC, because in other time zones a day may have 23 or 25 hours.
-- Locks: waits only for another transaction that is inserting the same id or the same unique key. Rows are inserted in
--     the order of their keys, so that two batches do not deadlock. Index: primary key, jobs_held_keys.
-- Order: the returned rows are in no order.
INSERT INTO {schema}.jobs ({new_columns}, run_at, tags, created_at, updated_at, held_key)
SELECT
    {new_columns},
    coalesce(run_at, ({now} AT TIME ZONE 'UTC' + coalesce(delay, '0'::interval)) AT TIME ZONE 'UTC'),
    tags::text[], {now}, {now}, unique_key
FROM unnest(
    {new_values}, %(run_at)s::timestamptz[], %(delay)s::interval[], %(tags)s::text[]
) WITH ORDINALITY AS new ({new_columns}, run_at, delay, tags, n)
ORDER BY unique_key, n
ON CONFLICT DO NOTHING
RETURNING id, created_at, run_at
