-- Effect: remove records of jobs that finished before a moment.
-- Locks: write. Index: windlass_finished.
DELETE FROM windlass_jobs
WHERE rowid IN (
    SELECT rowid FROM windlass_jobs
    WHERE state IN (SELECT value FROM json_each(:states)) AND finished_at < :before
    LIMIT :limit
)
