-- Effect: roll the caller's transaction back to the savepoint.
-- Locks: none. Index: none.
-- Only SQLite: see savepoint.
ROLLBACK TO tallystick
