-- Effect: delete records in some final states that finished in a range of time, of some kinds. A NULL list selects every
--     kind, or excludes none.
-- Locks: write. Index: {prefix}_finished.
DELETE FROM {prefix}_jobs
WHERE rowid IN (
    SELECT rowid FROM {prefix}_jobs
    WHERE state IN (SELECT value FROM json_each(:states)) AND finished_at < :before
        AND finished_at >= :since
        AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
        AND (:except_kinds IS NULL OR kind NOT IN (SELECT value FROM json_each(:except_kinds)))
    LIMIT :limit
)
