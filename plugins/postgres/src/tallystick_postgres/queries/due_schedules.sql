-- Effect: read the schedules that fire next, ordered by their next tick, then by name.
-- Locks: none. Index: schedules_due.
SELECT {schedule_columns}
FROM {schema}.schedules
WHERE next_tick IS NOT NULL AND NOT paused
ORDER BY next_tick, name
LIMIT %(limit)s
