-- Effect: count the optional indexes for searches that exist, with the ledger: 4 of them.
-- Locks: none. Index: none; it reads the catalog.
-- Only SQLite: on PostgreSQL, the planner knows.
SELECT count(*) FROM main.sqlite_schema
WHERE name IN ('{prefix}_search_kinds', '{prefix}_search_queues', '{prefix}_search_workers', '{prefix}_counts')
