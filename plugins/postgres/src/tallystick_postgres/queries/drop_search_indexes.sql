-- Effect: drop the optional indexes for searches, one statement each.
-- Locks: conflicts with other changes of the schema only; waits for transactions that are open. Index: none.
DROP INDEX CONCURRENTLY IF EXISTS {schema}.jobs_search_kinds;
DROP INDEX CONCURRENTLY IF EXISTS {schema}.jobs_search_queues;
DROP INDEX CONCURRENTLY IF EXISTS {schema}.jobs_search_workers
