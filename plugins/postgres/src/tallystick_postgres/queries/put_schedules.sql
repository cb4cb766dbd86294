-- Effect: insert schedules, and replace those that the caller has locked. If another client inserts one of the new names
--     first, its row stays: the names of the stored schedules are returned.
-- Locks: the rows of these schedules, in the order of their names. Index: primary key of schedules.
INSERT INTO {schema}.schedules AS old ({schedule_columns})
SELECT {schedule_columns}
FROM unnest({schedule_values}) AS new ({schedule_columns})
ORDER BY name
ON CONFLICT (name) DO UPDATE SET {schedule_changes}
WHERE old.revision = excluded.revision - 1
RETURNING name
