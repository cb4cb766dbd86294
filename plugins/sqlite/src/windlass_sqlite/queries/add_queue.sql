-- Effect: make a queue known.
-- Locks: write. Index: primary key.
INSERT INTO windlass_queues (name) VALUES (:queue) ON CONFLICT DO NOTHING
