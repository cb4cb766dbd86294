-- Effect: send a test notification, for a queue that cannot exist.
-- Locks: none. Index: none.
-- Only PostgreSQL: SQLite has no notifications.
SELECT pg_notify('{channel}', %(payload)s)
