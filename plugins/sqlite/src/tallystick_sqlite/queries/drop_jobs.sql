-- Effect: drop the table of jobs and its indexes, if it exists.
-- Locks: write.
DROP TABLE IF EXISTS tallystick_jobs
