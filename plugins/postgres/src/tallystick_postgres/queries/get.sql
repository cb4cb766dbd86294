-- Effect: read the records with the given ids.
-- Locks: none. Index: primary key.
SELECT {columns}, errors
FROM {schema}.jobs
WHERE id = ANY (%(ids)s::uuid[])
