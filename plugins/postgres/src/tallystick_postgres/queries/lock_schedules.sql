-- Effect: read the schedules with some names, and lock them until the transaction ends.
-- Locks: the rows of these schedules, in the order of their names. It waits for a locked row, then reads it again.
--     Index: primary key of schedules.
-- Only PostgreSQL: on SQLite, begin_write locks the file.
SELECT {schedule_columns}
FROM {schema}.schedules
WHERE name = ANY (%(names)s::text[])
ORDER BY name
FOR UPDATE
