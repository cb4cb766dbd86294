-- Effect: free a unique key if its holder holds it for a time that has passed. The key is that of the record with an id,
--     if no key is given.
-- Locks: write. Index: {prefix}_held_keys, and the primary key.
UPDATE {prefix}_jobs
SET held_key = NULL
WHERE held_key = coalesce(:unique_key, (SELECT unique_key FROM {prefix}_jobs WHERE id = :id)) AND {passed}
