-- Effect: remove the meters of the minutes before a time.
-- Locks: write. Index: primary key of {prefix}_meters.
-- Only SQLite: on PostgreSQL, meter does it.
DELETE FROM {prefix}_meters WHERE minute < :oldest
