-- Effect: count the records of some states, kinds and queues, up to a maximum, if the ledger exists.
-- Locks: none. Index: none; it reads every row of the ledger.
SELECT min(coalesce(sum(n), 0), :at_most)
FROM {prefix}_counts
WHERE state IN (SELECT value FROM json_each(:states))
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
    AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
