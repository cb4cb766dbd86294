-- Effect: read the server's settings, and how many more connections it accepts.
-- Locks: none. Index: none; it reads the catalog.
-- Only PostgreSQL: SQLite has no server.
SELECT
    current_setting('server_version'),
    current_setting('default_transaction_isolation'),
    current_setting('synchronous_commit'),
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean,
    current_setting('max_connections')::integer,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    clock_timestamp()
