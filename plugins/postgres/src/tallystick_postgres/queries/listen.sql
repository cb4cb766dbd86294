-- Effect: be told of jobs in this schema that may be due, until the connection ends.
-- Locks: none. Index: none.
LISTEN {channel}
