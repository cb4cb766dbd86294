-- Effect: read the path of a connection's main database; empty if it has no file.
-- Locks: none. Index: none.
-- Only SQLite: on PostgreSQL, the statements name the schema of the store.
SELECT file FROM pragma_database_list WHERE name = 'main'
