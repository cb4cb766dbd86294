-- Effect: read a number that changes after each commit of another connection, in any process.
PRAGMA data_version
