-- Effect: remove the table of queues, where it is.
-- Locks: write.
DROP TABLE IF EXISTS tallystick_queues
