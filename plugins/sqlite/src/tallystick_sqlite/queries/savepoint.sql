-- Effect: set a savepoint in the caller's transaction.
SAVEPOINT tallystick
