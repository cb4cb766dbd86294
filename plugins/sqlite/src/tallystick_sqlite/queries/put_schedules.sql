-- Effect: insert a schedule, or replace the stored one with this name.
-- Locks: write. Index: primary key of {prefix}_schedules.
INSERT INTO {prefix}_schedules ({schedule_columns})
VALUES ({schedule_values})
ON CONFLICT (name) DO UPDATE SET {schedule_changes}
