-- Effect: read the descriptions of all workers, ordered by name.
-- Locks: none. Index: primary key of {prefix}_workers.
SELECT name, beat, seen_at, alive_until FROM {prefix}_workers ORDER BY name
