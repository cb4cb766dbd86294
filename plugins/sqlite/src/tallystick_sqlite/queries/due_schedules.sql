-- Effect: read the schedules that fire next, ordered by their next tick, then by name.
-- Locks: none. Index: {prefix}_schedules_due.
SELECT {schedule_columns}
FROM {prefix}_schedules
WHERE next_tick IS NOT NULL AND NOT paused
ORDER BY next_tick, name
LIMIT :limit
