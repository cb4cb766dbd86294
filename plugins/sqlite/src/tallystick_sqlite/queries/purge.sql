-- Effect: delete records in some final states that finished before a given time.
-- Locks: write. Index: {prefix}_finished.
DELETE FROM {prefix}_jobs
WHERE rowid IN (
    SELECT rowid FROM {prefix}_jobs
    WHERE state IN (SELECT value FROM json_each(:states)) AND finished_at < :before
    LIMIT :limit
)
