-- Effect: remove the table of jobs and its indexes, where it is.
-- Locks: write.
DROP TABLE IF EXISTS tallystick_jobs
