-- Effect: read as list does, from the records with one of some unique keys only.
-- Locks: none. Index: {prefix}_unique_keys, read until the caller has enough; primary key.
-- Only SQLite: on PostgreSQL, the planner chooses the index of list.
--
-- `found` is a priority queue. It starts with the newest record of each name. Whenever it takes a record, it adds the
-- next one of the same name. LIMIT -1 keeps its ORDER BY, which SQLite would omit in a join.
WITH RECURSIVE found (name, id) AS (
    SELECT asked.value, (SELECT max(id) FROM {prefix}_jobs WHERE unique_key = asked.value AND id < :below)
    FROM json_each(:unique_keys) AS asked
    UNION ALL
    SELECT name, (SELECT max(id) FROM {prefix}_jobs WHERE unique_key = found.name AND id < found.id)
    FROM found
    WHERE id IS NOT NULL
    ORDER BY 2 DESC
    LIMIT -1
)
SELECT job.id, iif(:error_part IS NULL, NULL, job.error_words)
FROM found CROSS JOIN {prefix}_jobs AS job ON job.id = found.id
WHERE {matches}
