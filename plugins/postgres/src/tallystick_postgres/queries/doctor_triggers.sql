-- Effect: read the names of the enabled triggers on the table of jobs.
-- Locks: none. Index: those of the catalog.
-- Only PostgreSQL: the tables on SQLite have no triggers.
SELECT tgname FROM pg_trigger WHERE tgrelid = '{schema}.jobs'::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A')
