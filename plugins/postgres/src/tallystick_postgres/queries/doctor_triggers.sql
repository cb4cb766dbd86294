-- Effect: read the names of the enabled triggers on the table of jobs.
-- Locks: none. Index: those of the catalog.
SELECT tgname FROM pg_trigger WHERE tgrelid = '{schema}.jobs'::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A')
