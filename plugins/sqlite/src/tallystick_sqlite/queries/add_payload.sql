-- Effect: store the large payload of a job, which has none.
-- Locks: write. Index: primary keys of {prefix}_jobs and of {prefix}_payloads.
-- Only SQLite: PostgreSQL itself stores a large value outside of the row, and keeps it when the row changes.
INSERT INTO {prefix}_payloads (job, content) SELECT number, :large_payload FROM {prefix}_jobs WHERE id = :id
