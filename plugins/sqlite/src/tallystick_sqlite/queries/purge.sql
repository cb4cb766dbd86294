-- Effect: delete records in some final states that finished before a given time.
-- Locks: write. Index: tallystick_finished.
DELETE FROM tallystick_jobs
WHERE rowid IN (
    SELECT rowid FROM tallystick_jobs
    WHERE state IN (SELECT value FROM json_each(:states)) AND finished_at < :before
    LIMIT :limit
)
