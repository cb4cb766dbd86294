-- Effect: make a queue known.
-- Locks: write. Index: primary key.
-- Only SQLite: on PostgreSQL, a trigger adds the queue to the ledger of counts.
INSERT INTO tallystick_queues (name) VALUES (:queue) ON CONFLICT DO NOTHING
