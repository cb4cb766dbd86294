-- Effect: read as list_candidates does, by the optional indexes for searches.
-- Locks: none. Index: {prefix}_search_kinds, {prefix}_search_queues or {prefix}_search_workers.
-- Only SQLite: see count_candidates.
SELECT job.id, iif(:error_part IS NULL, NULL, job.error_words), job.finished_at, job.run_at, job.state
FROM ({searched}) AS candidate CROSS JOIN {prefix}_jobs AS job ON job.rowid = candidate.place
WHERE {matches}
