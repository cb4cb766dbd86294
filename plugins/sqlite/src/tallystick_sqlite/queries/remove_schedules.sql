-- Effect: remove the schedules with some names.
-- Locks: write. Index: primary key of {prefix}_schedules.
DELETE FROM {prefix}_schedules
WHERE name IN (SELECT value FROM json_each(:names))
RETURNING name
