-- Effect: resume a queue, if it is known.
-- Locks: write. Index: primary key.
UPDATE {prefix}_queues SET paused = FALSE WHERE name = :queue
