-- Effect: remove the workers that were alive more than a day ago.
-- Locks: write. Index: none; it reads all of {prefix}_workers.
-- Only SQLite: on PostgreSQL, beat does it.
DELETE FROM {prefix}_workers WHERE alive_until < :oldest
