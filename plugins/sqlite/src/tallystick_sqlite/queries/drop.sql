-- Effect: drop everything that the migrations created, including all records; it may be gone already.
-- Locks: write. Index: none.
DROP TABLE IF EXISTS tallystick_jobs;
DROP TABLE IF EXISTS tallystick_queues
