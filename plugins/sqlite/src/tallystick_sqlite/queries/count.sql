-- Effect: count the records that match a filter, up to a maximum. The caller chooses the indexes to read, which together
--     contain each record that may match exactly once.
-- Locks: none. Index: {prefix}_waiting, {prefix}_leases and {prefix}_finished for the states, or {prefix}_error_types, or
--     {prefix}_unique_keys.
SELECT count(*)
FROM (
    SELECT 1
    FROM (
        SELECT rowid AS place FROM {prefix}_jobs INDEXED BY {prefix}_waiting
        WHERE :waiting AND state IN ('pending', 'retrying')
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_leases
        WHERE :running AND state = 'running'
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_finished
        WHERE state IN (SELECT value FROM json_each(:finals))
            AND finished_at >= coalesce(:finished_since, -9223372036854775808)
            AND finished_at <= coalesce(:finished_until, 9223372036854775807)
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_error_types
        WHERE error_type IN (SELECT value FROM json_each(:by_error_types))
        UNION ALL
        SELECT rowid FROM {prefix}_jobs INDEXED BY {prefix}_unique_keys
        WHERE unique_key IN (SELECT value FROM json_each(:by_unique_keys))
    ) AS found CROSS JOIN {prefix}_jobs AS job ON job.rowid = found.place
    WHERE {matches}
    LIMIT :at_most
)
