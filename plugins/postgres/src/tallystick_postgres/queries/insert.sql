-- Effect: insert new jobs; skip a job whose id is stored, or whose unique key is held. A value that all jobs share is sent
--     once, and its list is NULL, which `unnest` pads with NULL.
--     A delay is added in UTC, because in other time zones a day may have 23 or 25 hours.
-- Locks: waits only for another transaction that is inserting the same id or the same unique key. Rows are inserted in
--     the order of their keys, so that two batches do not deadlock. Index: primary key, jobs_held_keys.
-- Order: the returned rows are in no order.
INSERT INTO {schema}.jobs ({new_columns}, run_at, tags, created_at, updated_at, held_key)
SELECT
    {each_or_shared},
    coalesce(
        run_at, %(run_at)s::timestamptz,
        ({now} AT TIME ZONE 'UTC' + coalesce(delay, %(delay)s::interval, '0'::interval)) AT TIME ZONE 'UTC'
    ),
    coalesce(tags::text[], %(tags)s::text[]), {now}, {now}, coalesce(unique_key, %(unique_key)s::text)
FROM unnest(
    {each_value}, %(each_run_at)s::timestamptz[], %(each_delay)s::interval[], %(each_tags)s::text[]
) WITH ORDINALITY AS new ({new_columns}, run_at, delay, tags, n)
ORDER BY unique_key, n
ON CONFLICT DO NOTHING
RETURNING id, created_at, run_at
