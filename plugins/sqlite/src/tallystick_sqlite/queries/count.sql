-- Effect: count the records that match a filter, up to a maximum.
-- Locks: none. Index: {prefix}_waiting, {prefix}_leases and {prefix}_finished for the states, or {prefix}_errors, or
--     {prefix}_error_types, or {prefix}_unique_keys.
SELECT count(*)
FROM (
    SELECT 1
    FROM ({candidates}) AS candidate CROSS JOIN {prefix}_jobs AS job ON job.rowid = candidate.place
    WHERE {matches}
    LIMIT :at_most
)
