-- Effect: create the table of applied migrations, whose mark tells Tallystick's tables from others of the same names.
-- Locks: write. Index: none.
CREATE TABLE {prefix}_migrations (
    version      INTEGER NOT NULL PRIMARY KEY,
    mark         TEXT    NOT NULL DEFAULT 'Tallystick' CHECK (mark = 'Tallystick'),
    created_file INTEGER NOT NULL DEFAULT FALSE
) STRICT
