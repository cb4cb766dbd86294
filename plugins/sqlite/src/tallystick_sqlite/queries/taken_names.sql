-- Effect: read the names of the store that tables, indexes, views and triggers of the file have.
-- Locks: none. Index: none; it reads the catalog.
-- Only SQLite: on PostgreSQL, the store has a schema of its own.
SELECT name FROM main.sqlite_schema
WHERE lower(name) IN (
    '{prefix}_migrations', '{prefix}_jobs', '{prefix}_waiting', '{prefix}_leases', '{prefix}_finished',
    '{prefix}_held_keys', '{prefix}_unique_keys', '{prefix}_errors', '{prefix}_error_types', '{prefix}_failed',
    '{prefix}_retrying', '{prefix}_other_ids', '{prefix}_backwards', '{prefix}_late', '{prefix}_payloads',
    '{prefix}_payload_changed', '{prefix}_payload_deleted', '{prefix}_tags',
    '{prefix}_retagged', '{prefix}_untagged', '{prefix}_counts', '{prefix}_search_kinds', '{prefix}_search_queues',
    '{prefix}_search_workers', '{prefix}_counted', '{prefix}_recounted', '{prefix}_uncounted', '{prefix}_queues',
    '{prefix}_schedules', '{prefix}_schedules_due', '{prefix}_workers', '{prefix}_meters'
)
