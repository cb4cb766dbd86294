-- Effect: create the optional indexes for searches, one statement each, while clients change jobs.
-- Locks: conflicts with other changes of the schema only; waits for transactions that are open. Index: none.
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_search_kinds ON {schema}.jobs (kind, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_search_queues ON {schema}.jobs (queue, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_search_workers ON {schema}.jobs (worker, id) WHERE worker IS NOT NULL
