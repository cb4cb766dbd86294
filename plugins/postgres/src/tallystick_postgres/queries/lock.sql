-- Effect: wait until nobody else changes the schema, and keep others waiting until the end of the transaction.
-- Locks: an advisory one. Index: none.
SELECT pg_advisory_xact_lock(hashtextextended(%(channel)s, 0))
