-- Effect: release the savepoint; the changes since then stay in the caller's transaction.
-- Locks: none. Index: none.
-- Only SQLite: see savepoint.
RELEASE tallystick
