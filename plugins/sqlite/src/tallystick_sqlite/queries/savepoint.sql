-- Effect: mark a point in the caller's transaction to go back to.
SAVEPOINT tallystick
