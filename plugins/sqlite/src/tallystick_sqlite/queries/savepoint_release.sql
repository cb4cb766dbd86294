-- Effect: release the savepoint; the changes since then stay in the caller's transaction.
RELEASE tallystick
