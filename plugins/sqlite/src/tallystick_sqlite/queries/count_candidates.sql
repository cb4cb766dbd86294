-- Effect: count the records that a filter may match, by the indexes alone, up to a maximum.
-- Locks: none. Index: {prefix}_waiting, {prefix}_leases and {prefix}_finished for the states, or {prefix}_errors, or
--     {prefix}_error_types, or {prefix}_unique_keys.
-- Only SQLite: PostgreSQL has a ledger of counts, and its planner chooses an index by statistics.
SELECT count(*) FROM (SELECT 1 FROM ({candidates}) LIMIT :at_most)
