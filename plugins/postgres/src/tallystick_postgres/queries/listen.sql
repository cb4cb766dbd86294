-- Effect: receive notifications about jobs of this schema that may be due, until the connection ends.
-- Locks: none. Index: none.
LISTEN {channel}
