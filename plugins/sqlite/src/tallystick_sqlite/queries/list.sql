-- Effect: read the ids of the records below an id, newest first, that match a filter. A NULL list matches every record.
--     It reads no records, because cancel, requeue and delete also use it. They change one job at a time: a statement
--     costs no round trip here.
-- Locks: none. Index: primary key, read until the caller has enough.
SELECT id
FROM {prefix}_jobs AS job
WHERE id < :below
    AND state IN (SELECT value FROM json_each(:states))
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
    AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
    AND (:tags IS NULL OR EXISTS (
        SELECT 1 FROM json_each(job.tags) AS tag WHERE tag.value IN (SELECT value FROM json_each(:tags))
    ))
ORDER BY id DESC
