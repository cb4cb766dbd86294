-- Effect: read the numbers of live and dead rows of our tables, and the time of the last vacuum.
-- Locks: none. Index: those of the catalog.
-- Only PostgreSQL: SQLite has no vacuum in the background.
SELECT relname, n_live_tup, n_dead_tup, greatest(last_vacuum, last_autovacuum)
FROM pg_stat_user_tables
WHERE schemaname = %(name)s AND relname IN ('jobs', 'counts')
ORDER BY relname
