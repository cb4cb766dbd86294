-- Effect: count as count does, by the optional indexes for searches.
-- Locks: none. Index: {prefix}_search_kinds, {prefix}_search_queues or {prefix}_search_workers.
-- Only SQLite: on PostgreSQL, the planner chooses the index.
SELECT count(*)
FROM (
    SELECT 1
    FROM ({searched}) AS candidate CROSS JOIN {prefix}_jobs AS job ON job.rowid = candidate.place
    WHERE {matches}
    LIMIT :at_most
)
