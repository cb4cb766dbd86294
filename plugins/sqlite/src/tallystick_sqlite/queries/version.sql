-- Effect: read the number of applied migrations.
-- Locks: none. Index: none.
PRAGMA user_version
