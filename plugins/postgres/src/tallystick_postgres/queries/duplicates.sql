-- Effect: read the records that have one of the ids, or hold one of the unique keys. The last two columns are
--     whether a record holds its key, and whether it holds it for a time that has passed.
-- Locks: none. Index: primary key, jobs_held_keys.
SELECT {columns}, held_key IS NOT NULL, {schema}.key_has_passed(unique_until, created_at, {now})
FROM {schema}.jobs
WHERE id = ANY (
    %(ids)s::uuid[] || ARRAY(SELECT id FROM {schema}.jobs WHERE held_key = ANY (%(keys)s::text[]))
)
