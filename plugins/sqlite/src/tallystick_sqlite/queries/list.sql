-- Effect: read the ids of the records in a range of ids, newest first, that match a filter. A NULL list matches every
--     record.
--     It reads no records, because cancel, requeue, delete and update also use it. They change one job at a time: a
--     statement costs no round trip here. To search the text of errors, the caller also gets its words.
-- Locks: none. Index: primary key, read until the caller has enough.
SELECT id, iif(:error_part IS NULL, NULL, error_words)
FROM {prefix}_jobs AS job
WHERE id < :below AND id >= :lowest_id
    AND {matches}
ORDER BY id DESC
