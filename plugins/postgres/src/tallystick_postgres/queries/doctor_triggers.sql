-- Effect: read the names of the triggers on the table of jobs that are fired.
-- Locks: none. Index: the catalogue's.
SELECT tgname FROM pg_trigger WHERE tgrelid = '{schema}.jobs'::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A')
