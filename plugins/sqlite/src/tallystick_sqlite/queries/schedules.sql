-- Effect: read the schedules with some names, or all of them, ordered by name.
-- Locks: none. Index: primary key of {prefix}_schedules.
SELECT {schedule_columns}
FROM {prefix}_schedules
WHERE :names IS NULL OR name IN (SELECT value FROM json_each(:names))
ORDER BY name
