-- Effect: read whether the file contains no tables.
SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)
