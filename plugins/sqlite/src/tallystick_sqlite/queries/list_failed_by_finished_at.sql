-- Effect: read as list_by_finished_at does, from the records with an error only.
-- Locks: none. Index: {prefix}_errors. It reads every record with an error, and sorts those that match.
SELECT id, iif(:error_part IS NULL, NULL, last_error), finished_at
FROM {prefix}_jobs AS job INDEXED BY {prefix}_errors
WHERE last_error IS NOT NULL
    AND state = :state AND finished_at BETWEEN -62135596800000000 AND :after_time
    AND (finished_at, id) < (:after_time, :after)
    AND {matches}
ORDER BY finished_at DESC, id DESC
