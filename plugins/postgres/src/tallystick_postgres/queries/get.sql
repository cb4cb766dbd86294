-- Effect: read the records with the given ids, their errors and their progress.
-- Locks: none. Index: primary key.
SELECT {columns}, errors, progress
FROM {schema}.jobs
WHERE id = ANY (%(ids)s::uuid[])
