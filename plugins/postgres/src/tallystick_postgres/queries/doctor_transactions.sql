-- Effect: read the oldest open transaction of another session. Vacuum removes no row that it can still see.
-- Locks: none. Index: none; it reads the catalog.
-- Only PostgreSQL: SQLite has no statistics of other connections.
SELECT pid, application_name, state, extract(epoch FROM clock_timestamp() - xact_start)::double precision
FROM pg_stat_activity
WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'
ORDER BY xact_start
LIMIT 1
