-- Effect: count the records of some kinds and queues in each state that has any.
-- Locks: none. Index: none; it reads every row of the ledger.
-- Only PostgreSQL: see list_rare.
SELECT state, sum(n)::bigint
FROM {schema}.counts
WHERE (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
    AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
    AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
GROUP BY state
HAVING sum(n) > 0
