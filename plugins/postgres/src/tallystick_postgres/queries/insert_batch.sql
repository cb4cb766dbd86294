-- Effect: insert new jobs, as `insert` does; return their number and their `created_at`. Only if it skipped some does it
--     return the ids of the others, in a row for each.
-- Locks: those of `insert`. Index: those of `insert`.
-- Only PostgreSQL: SQLite inserts the jobs of a batch one by one.
-- Order: the returned rows are in no order.
WITH stored AS (
{insert}
)
SELECT counted.n, counted.created_at, stored.id
FROM (SELECT count(*) AS n, min(created_at) AS created_at FROM stored) AS counted
LEFT JOIN stored ON counted.n < cardinality(%(each_id)s::uuid[])
