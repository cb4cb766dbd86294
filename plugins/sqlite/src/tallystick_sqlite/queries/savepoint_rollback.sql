-- Effect: roll the caller's transaction back to the savepoint.
ROLLBACK TO tallystick
