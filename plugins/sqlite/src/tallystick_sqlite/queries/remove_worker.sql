-- Effect: remove a worker.
-- Locks: write. Index: primary key of {prefix}_workers.
DELETE FROM {prefix}_workers WHERE name = :worker
