-- Effect: read the schedules with some names, or all of them, ordered by name.
-- Locks: none. Index: primary key of schedules.
SELECT {schedule_columns}
FROM {schema}.schedules
WHERE %(names)s::text[] IS NULL OR name = ANY (%(names)s::text[])
ORDER BY name
