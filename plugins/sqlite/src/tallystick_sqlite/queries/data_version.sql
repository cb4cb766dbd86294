-- Effect: read a number that changes after each commit of another connection, in any process.
-- Locks: none. Index: none.
-- Only SQLite: PostgreSQL sends notifications, see listen there.
PRAGMA data_version
