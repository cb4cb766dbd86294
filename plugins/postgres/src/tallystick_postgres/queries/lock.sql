-- Effect: wait until no other transaction changes the schema, and make others wait until this one ends.
-- Locks: an advisory lock. Index: none.
-- Only PostgreSQL: on SQLite, begin_write locks the file.
SELECT pg_advisory_xact_lock(hashtextextended(%(channel)s, 0))
