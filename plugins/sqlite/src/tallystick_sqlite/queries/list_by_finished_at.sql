-- Effect: read the records of one final state that match a filter, the latest first, behind a time and an id.
-- Locks: none. Index: {prefix}_finished, read until the caller has enough. Records that finished at the same time are
--     sorted by id. The lowest time excludes damaged values, because no page could begin behind them.
SELECT id, iif(:error_part IS NULL, NULL, error_words), finished_at
FROM {prefix}_jobs AS job INDEXED BY {prefix}_finished
WHERE state = :state AND finished_at BETWEEN -62135596800000000 AND :after_time
    AND (finished_at, id) < (:after_time, :after)
    AND {matches}
ORDER BY finished_at DESC, id DESC
