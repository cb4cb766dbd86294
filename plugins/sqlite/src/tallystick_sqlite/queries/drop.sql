-- Effect: drop everything that setup created, including all records; it may be gone already.
-- Locks: write. Index: none.
DROP TABLE IF EXISTS {prefix}_jobs;
DROP TABLE IF EXISTS {prefix}_payloads;
DROP TABLE IF EXISTS {prefix}_tags;
DROP TABLE IF EXISTS {prefix}_counts;
DROP TABLE IF EXISTS {prefix}_queues;
DROP TABLE IF EXISTS {prefix}_schedules;
DROP TABLE IF EXISTS {prefix}_workers;
DROP TABLE IF EXISTS {prefix}_meters;
DROP TABLE IF EXISTS {prefix}_migrations
