-- Effect: read a number that changes when another connection, of any process, has committed.
PRAGMA data_version
