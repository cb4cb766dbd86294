-- Effect: say whether the file has no tables.
SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)
