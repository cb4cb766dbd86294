-- Effect: read the number of applied migrations; NULL if the table of that name is not Tallystick's.
-- Locks: none. Index: primary key.
SELECT max(version) FROM main.{prefix}_migrations WHERE mark = 'Tallystick'
