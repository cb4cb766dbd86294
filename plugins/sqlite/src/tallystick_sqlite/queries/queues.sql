-- Effect: read the known queues, ordered by name, and whether each is paused.
-- Locks: none. Index: primary key.
SELECT name, paused FROM {prefix}_queues ORDER BY name
