-- Effect: read the records of one final state that match a filter, the latest first, behind a time and an id.
-- Locks: none. Index: {prefix}_finished, read until the caller has enough. Records that finished at the same time are
--     sorted by id. The caller passes the lowest time: a lower one would be a damaged value, and no page could begin
--     behind it.
SELECT id, iif(:error_part IS NULL, NULL, error_words), finished_at
FROM {prefix}_jobs AS job INDEXED BY {prefix}_finished
WHERE state = :state AND finished_at BETWEEN :first_time AND :after_time
    AND (finished_at, id) < (:after_time, :after)
    AND {matches}
ORDER BY finished_at DESC, id DESC
