-- Effect: read the oldest transaction of other sessions that is open: vacuum removes no row that it may see.
-- Locks: none. Index: none; the catalogue is read.
SELECT pid, application_name, state, extract(epoch FROM clock_timestamp() - xact_start)::double precision
FROM pg_stat_activity
WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'
ORDER BY xact_start
LIMIT 1
