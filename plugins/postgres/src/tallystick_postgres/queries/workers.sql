-- Effect: read the descriptions of all workers, ordered by name.
-- Locks: none. Index: none; it reads all of workers.
SELECT name, beat, seen_at, alive_until FROM {schema}.workers ORDER BY name
