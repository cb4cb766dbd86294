-- Effect: make the schema.
-- Locks: the catalogue's. Index: none.
CREATE SCHEMA {schema}
