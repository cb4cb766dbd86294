-- Effect: check the structure of the file, and read at most five errors; one row has `ok` if there is none.
-- Locks: none. Index: none; it reads the whole file.
-- Only SQLite: a client of PostgreSQL cannot check the server's files.
PRAGMA quick_check(5)
