-- Effect: read the `now` of the call, by default the server's clock.
-- Locks: none. Index: none.
-- Only PostgreSQL: SQLite uses the clock of the client's machine.
SELECT {now}
