-- Effect: read which ids are stored, and which unique keys a job holds for a time that has not passed.
-- Locks: none. Index: primary key, jobs_held_keys.
-- Order: a row has an id or a key; the rows are in no order.
SELECT id, NULL FROM {schema}.jobs WHERE id = ANY (%(ids)s::uuid[])
UNION ALL
SELECT NULL, held_key
FROM {schema}.jobs
WHERE held_key = ANY (%(keys)s::text[]) AND NOT {schema}.key_has_passed(unique_until, created_at, {now})
