-- Effect: read the records of some final states with an error that match a filter, the latest first, behind a time and an
--     id.
-- Locks: none. Index: {prefix}_failed, read until the caller has enough. It has the type and the words of an error, so
--     only records with these are looked up. For the lowest time see list_by_finished_at.
SELECT id, iif(:error_part IS NULL, NULL, error_words), finished_at
FROM {prefix}_jobs AS job INDEXED BY {prefix}_failed
WHERE last_error IS NOT NULL
    AND finished_at BETWEEN -62135596800000000 AND :after_time
    AND (finished_at, id) < (:after_time, :after)
    AND state IN (SELECT value FROM json_each(:finals))
    AND {matches}
ORDER BY finished_at DESC, id DESC
