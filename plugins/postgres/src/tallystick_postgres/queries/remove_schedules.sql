-- Effect: remove the schedules with some names.
-- Locks: the rows of these schedules, in the order of their names. Index: primary key of schedules.
WITH chosen AS MATERIALIZED (
    SELECT name FROM {schema}.schedules WHERE name = ANY (%(names)s::text[]) ORDER BY name FOR UPDATE
)
DELETE FROM {schema}.schedules
WHERE name = ANY (ARRAY(SELECT name FROM chosen))
RETURNING name
