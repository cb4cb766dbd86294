-- Effect: become the only client that changes the optional indexes, until the transaction ends, and return whether it did.
-- Locks: an advisory lock. Index: none.
-- Only PostgreSQL: on SQLite, begin_write locks the file.
SELECT pg_try_advisory_xact_lock(hashtextextended('{channel}', 1))
