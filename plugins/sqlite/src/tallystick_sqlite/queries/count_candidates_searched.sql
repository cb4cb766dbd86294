-- Effect: count as count_candidates does, by the optional indexes for searches.
-- Locks: none. Index: {prefix}_search_kinds, {prefix}_search_queues or {prefix}_search_workers.
-- Only SQLite: see count_candidates.
SELECT count(*) FROM (SELECT 1 FROM ({searched}) LIMIT :at_most)
