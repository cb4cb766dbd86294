-- Effect: undo what was done in the caller's transaction since the savepoint.
ROLLBACK TO tallystick
