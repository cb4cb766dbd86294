-- Effect: read the ids, times and states of the records that match a filter, in no order. It reads every candidate.
-- Locks: none. Index: {prefix}_waiting, {prefix}_leases and {prefix}_finished for the states, or {prefix}_errors, or
--     {prefix}_error_types, or {prefix}_unique_keys.
-- Only SQLite: see count_candidates.
SELECT job.id, iif(:error_part IS NULL, NULL, job.error_words), job.finished_at, job.run_at, job.state
FROM ({candidates}) AS candidate CROSS JOIN {prefix}_jobs AS job ON job.rowid = candidate.place
WHERE {matches}
