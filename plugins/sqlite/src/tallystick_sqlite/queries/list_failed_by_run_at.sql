-- Effect: read as list_by_run_at does, from the jobs that are retrying or have an error only.
-- Locks: none. Index: {prefix}_retrying, read until the caller has enough.
SELECT id, iif(:error_part IS NULL, NULL, error_words)
FROM {prefix}_jobs AS job INDEXED BY {prefix}_retrying
WHERE state IN ('pending', 'retrying') AND (state = 'retrying' OR last_error IS NOT NULL)
    AND (run_at, id) > (:after_time, :after)
    AND {matches}
ORDER BY run_at, id
