-- Effect: send a message to those who listen, of a queue that cannot be.
-- Locks: none. Index: none.
SELECT pg_notify('{channel}', %(word)s)
