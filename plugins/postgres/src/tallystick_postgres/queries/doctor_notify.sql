-- Effect: send a test notification, for a queue that cannot exist.
-- Locks: none. Index: none.
SELECT pg_notify('{channel}', %(payload)s)
