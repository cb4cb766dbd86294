-- Effect: read the record that has an id, or else the one that holds a unique key.
-- Locks: none. Index: primary key, tallystick_held_keys.
SELECT {columns}
FROM tallystick_jobs
WHERE id = coalesce(
    (SELECT id FROM tallystick_jobs WHERE id = :id),
    (SELECT id FROM tallystick_jobs WHERE held_key = :unique_key)
)
