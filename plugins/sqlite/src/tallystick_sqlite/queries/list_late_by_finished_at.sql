-- Effect: read as list_by_finished_at does, from the records outside a range of finished_at that finished more than an
--     hour after they were created.
-- Locks: none. Index: {prefix}_late, read until the caller has enough.
-- Only SQLite: on PostgreSQL, list_by_finished_at reads both.
SELECT id, iif(:error_part IS NULL, NULL, error_words), finished_at
FROM {prefix}_jobs AS job INDEXED BY {prefix}_late
WHERE {is_late} AND state IN (SELECT value FROM json_each(:finals))
    AND finished_at BETWEEN -62135596800000000 AND :after_time
    AND (finished_at, id) < (:after_time, :after)
    AND (finished_at < :prompt_since OR finished_at >= :prompt_until)
    AND {matches}
ORDER BY finished_at DESC, id DESC
