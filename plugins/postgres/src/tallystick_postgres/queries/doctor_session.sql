-- Effect: say which of the server's sessions this is.
-- Locks: none. Index: none.
SELECT pg_backend_pid()
