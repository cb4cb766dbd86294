-- Effect: pause a queue, and make it known.
-- Locks: write. Index: primary key.
INSERT INTO {prefix}_queues (name, paused) VALUES (:queue, TRUE) ON CONFLICT DO UPDATE SET paused = TRUE
