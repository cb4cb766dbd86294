-- Effect: read as list does, from the records outside a range of ids only: those whose ids are not UUIDv7 of created_at,
--     and those that finished before created_at.
-- Locks: none. Index: {prefix}_other_ids and {prefix}_backwards, read until the caller has enough.
-- Only SQLite: on PostgreSQL, list_by_created and list_by_run_at read both.
SELECT id, iif(:error_part IS NULL, NULL, error_words), finished_at, run_at, state
FROM {prefix}_jobs AS job INDEXED BY {prefix}_other_ids
WHERE id < :below AND {is_other_id} AND NOT (id >= :lowest_id AND id < :highest_id)
    AND {matches}
UNION ALL
SELECT id, iif(:error_part IS NULL, NULL, error_words), finished_at, run_at, state
FROM {prefix}_jobs AS job INDEXED BY {prefix}_backwards
WHERE id < :below AND {is_backwards} AND NOT {is_other_id} AND NOT (id >= :lowest_id AND id < :highest_id)
    AND {matches}
ORDER BY id DESC
