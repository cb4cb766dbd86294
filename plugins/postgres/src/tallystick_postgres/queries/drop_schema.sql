-- Effect: remove the schema; refused where it has something in it.
-- Locks: the catalogue's. Index: none.
DROP SCHEMA {schema}
