-- Effect: read the schedule with the given name.
-- Locks: none. Index: primary key of {prefix}_schedules.
-- Only SQLite: on PostgreSQL, lock_schedules also locks the rows.
SELECT {schedule_columns}
FROM {prefix}_schedules
WHERE name = :name
