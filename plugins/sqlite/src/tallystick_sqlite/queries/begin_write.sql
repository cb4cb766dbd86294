-- Effect: begin a write transaction.
-- Locks: the write lock, at once. Index: none. A transaction that reads first and then writes may fail halfway.
-- Only SQLite: psycopg begins the transactions on PostgreSQL.
BEGIN IMMEDIATE
