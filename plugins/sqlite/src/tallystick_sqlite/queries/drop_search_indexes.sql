-- Effect: drop the optional indexes for searches, and the ledger with its triggers.
-- Locks: write. Index: none.
DROP TRIGGER IF EXISTS {prefix}_counted;
DROP TRIGGER IF EXISTS {prefix}_recounted;
DROP TRIGGER IF EXISTS {prefix}_uncounted;
DROP TABLE IF EXISTS {prefix}_counts;
DROP INDEX IF EXISTS {prefix}_search_kinds;
DROP INDEX IF EXISTS {prefix}_search_queues;
DROP INDEX IF EXISTS {prefix}_search_workers
