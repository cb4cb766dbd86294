-- Effect: read the id of the server process of this session.
-- Locks: none. Index: none.
SELECT pg_backend_pid()
