-- Effect: begin a transaction in which every statement reads the same snapshot.
-- Locks: none that block a writer. Index: none.
-- Only SQLite: on PostgreSQL, each call that reads is one statement.
BEGIN
