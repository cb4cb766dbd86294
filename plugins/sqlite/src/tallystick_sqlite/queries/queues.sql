-- Effect: read the known queues by name.
-- Locks: none. Index: primary key.
SELECT name, paused FROM tallystick_queues ORDER BY name
