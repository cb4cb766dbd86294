-- Effect: add the tags of a new job to the table of tags.
-- Locks: write. Index: primary key of {prefix}_tags.
-- Only SQLite: PostgreSQL has an index of arrays.
INSERT OR IGNORE INTO {prefix}_tags (tag, id) SELECT value, :id FROM json_each(:tags)
