-- Effect: read how many rows of our tables wait for vacuum, and when that was last done.
-- Locks: none. Index: the catalogue's.
SELECT relname, n_live_tup, n_dead_tup, greatest(last_vacuum, last_autovacuum)
FROM pg_stat_user_tables
WHERE schemaname = %(name)s AND relname IN ('jobs', 'counts')
ORDER BY relname
