-- Effect: read the path of a connection's main database; empty if it has no file.
SELECT file FROM pragma_database_list WHERE name = 'main'
