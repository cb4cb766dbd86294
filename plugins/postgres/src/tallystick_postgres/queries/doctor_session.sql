-- Effect: read the id of the server process of this session.
-- Locks: none. Index: none.
-- Only PostgreSQL: SQLite has no server.
SELECT pg_backend_pid()
