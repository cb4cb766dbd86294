-- Effect: drop the table of queues, if it exists.
-- Locks: write.
DROP TABLE IF EXISTS tallystick_queues
