-- Effect: insert new jobs; skip a job whose id is stored, or whose unique key is held.
--     A delay is added in UTC, because in other time zones a day may have 23 or 25 hours.
-- Locks: waits only for another transaction that is inserting the same id or the same unique key. Rows are inserted in
--     the order of their keys, so that two batches do not deadlock. Index: primary key, jobs_held_keys.
-- Order: the returned rows are in no order.
INSERT INTO {schema}.jobs (
    id, kind, queue, payload, priority, max_attempts, run_at, created_at, updated_at, unique_key, unique_until,
    held_key, tags
)
SELECT
    id, kind, queue, payload, priority, max_attempts,
    coalesce(run_at, ({now} AT TIME ZONE 'UTC' + coalesce(delay, '0'::interval)) AT TIME ZONE 'UTC'),
    {now}, {now},
    unique_key, unique_until, unique_key, tags::text[]
FROM unnest(
    %(ids)s::uuid[], %(kinds)s::text[], %(queues)s::text[], %(payloads)s::bytea[], %(priorities)s::smallint[],
    %(max_attempts)s::integer[], %(run_ats)s::timestamptz[], %(delays)s::interval[], %(unique_keys)s::text[],
    %(unique_untils)s::text[], %(tags)s::text[]
) WITH ORDINALITY AS new (
    id, kind, queue, payload, priority, max_attempts, run_at, delay, unique_key, unique_until, tags, n
)
ORDER BY unique_key, n
ON CONFLICT DO NOTHING
RETURNING id, created_at, run_at
