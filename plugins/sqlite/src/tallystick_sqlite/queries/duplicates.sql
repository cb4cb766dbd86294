-- Effect: read the record that has an id, or else the one that holds a unique key.
-- Locks: none. Index: primary key, {prefix}_held_keys.
SELECT {record}
FROM {prefix}_jobs
WHERE id = coalesce(
    (SELECT id FROM {prefix}_jobs WHERE id = :id),
    (SELECT id FROM {prefix}_jobs WHERE held_key = :unique_key)
)
