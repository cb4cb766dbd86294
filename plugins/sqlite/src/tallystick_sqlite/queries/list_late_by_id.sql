-- Effect: read as list does, from the records that finished more than an hour after they were created, and whose ids are
--     below a range. It reads and sorts all of these.
-- Locks: none. Index: {prefix}_late.
-- Only SQLite: on PostgreSQL, list_by_created reads all.
SELECT id, iif(:error_part IS NULL, NULL, error_words)
FROM {prefix}_jobs AS job INDEXED BY {prefix}_late
WHERE {is_late} AND finished_at >= :finished_since AND created_at < :prompt_created
    AND id < :below AND id < :lowest_id AND NOT {is_other_id} AND NOT {is_backwards}
    AND {matches}
ORDER BY id DESC
