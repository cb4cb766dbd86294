-- Effect: read the number in the file's header that marks it as Tallystick's.
-- Locks: none. Index: none.
PRAGMA application_id
