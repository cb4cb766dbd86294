-- Effect: read whether an id is stored, and whether a job holds a unique key for a time that has not passed.
-- Locks: none. Index: primary key, {prefix}_held_keys.
SELECT
    EXISTS (SELECT 1 FROM {prefix}_jobs WHERE id = :id),
    EXISTS (SELECT 1 FROM {prefix}_jobs WHERE held_key = :unique_key AND NOT ({passed}))
