-- Effect: forget the savepoint; what was done since is part of the caller's transaction.
RELEASE tallystick
