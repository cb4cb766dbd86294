-- Effect: make a queue known.
-- Locks: write. Index: primary key.
-- Only SQLite: on PostgreSQL, a trigger adds the queue to the ledger of counts.
INSERT INTO {prefix}_queues (name) VALUES (:queue) ON CONFLICT DO NOTHING
