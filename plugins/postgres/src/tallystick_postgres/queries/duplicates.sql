-- Effect: read the records that have one of the ids, or hold one of the unique keys.
-- Locks: none. Index: primary key, jobs_held_keys.
SELECT {columns}, held_key IS NOT NULL
FROM {schema}.jobs
WHERE id = ANY (
    %(ids)s::uuid[] || ARRAY(SELECT id FROM {schema}.jobs WHERE held_key = ANY (%(keys)s::text[]))
)
