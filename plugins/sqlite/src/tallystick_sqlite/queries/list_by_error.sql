-- Effect: read as list does, from the records with an error only.
-- Locks: none. Index: {prefix}_errors, read until the caller has enough.
-- Only SQLite: on PostgreSQL, the planner chooses the index of list.
SELECT id, iif(:error_part IS NULL, NULL, error_words)
FROM {prefix}_jobs AS job INDEXED BY {prefix}_errors
WHERE id < :below AND last_error IS NOT NULL
    AND {matches}
ORDER BY id DESC
