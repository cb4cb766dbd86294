-- Effect: store new jobs; leave out those whose id is stored, or whose unique key is held.
--     A delay is added in UTC: elsewhere a day may have 23 hours or 25.
-- Locks: none that others wait for, but that of a key or an id which another transaction is inserting: that one is
--     waited for. Rows go in by key, so that two batches do not wait for each other. Index: primary key, jobs_held_keys.
-- Order: of what is returned, none.
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
