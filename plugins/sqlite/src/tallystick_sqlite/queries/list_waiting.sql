-- Effect: read the ids of waiting jobs of some states and queues below an id, newest first. It reads only the newest
--     `look` waiting jobs below the id.
-- Locks: none. Index: {prefix}_waiting alone, read as a whole. The limit keeps the order of the subquery in the join.
SELECT job.id
FROM (
    SELECT rowid AS place
    FROM {prefix}_jobs INDEXED BY {prefix}_waiting
    WHERE state IN ('pending', 'retrying')
        AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
        AND id < :below
    ORDER BY id DESC
    LIMIT :look
) AS waiting CROSS JOIN {prefix}_jobs AS job ON job.rowid = waiting.place
WHERE {matches}
