-- Effect: make a queue known.
-- Locks: write. Index: primary key.
INSERT INTO tallystick_queues (name) VALUES (:queue) ON CONFLICT DO NOTHING
