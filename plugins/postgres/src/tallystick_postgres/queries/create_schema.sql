-- Effect: create the schema.
-- Locks: the catalog. Index: none.
CREATE SCHEMA {schema}
