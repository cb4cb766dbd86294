-- Effect: count the records of some states, kinds and queues, up to a maximum.
-- Locks: none. Index: none; it reads every row of the ledger.
SELECT least(greatest(coalesce(sum(n), 0), 0), %(at_most)s)::bigint
FROM {schema}.counts
WHERE (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
    AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
    AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
