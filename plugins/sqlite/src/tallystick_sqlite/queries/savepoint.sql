-- Effect: set a savepoint in the caller's transaction.
-- Locks: none. Index: none.
-- Only SQLite: on PostgreSQL, a savepoint would cost two round trips.
SAVEPOINT tallystick
