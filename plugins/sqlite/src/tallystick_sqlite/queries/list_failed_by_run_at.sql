-- Effect: read as list_by_run_at does, from the jobs with an error only.
-- Locks: none. Index: {prefix}_errors. It reads every record with an error, and sorts those that match.
SELECT id, iif(:error_part IS NULL, NULL, last_error)
FROM {prefix}_jobs AS job INDEXED BY {prefix}_errors
WHERE last_error IS NOT NULL
    AND state IN ('pending', 'retrying')
    AND (run_at, id) > (:after_time, :after)
    AND {matches}
ORDER BY run_at, id
