-- Effect: delete the record of a job that is not running.
-- Locks: write. Index: primary key.
DELETE FROM {prefix}_jobs WHERE id = :id AND state <> 'running'
