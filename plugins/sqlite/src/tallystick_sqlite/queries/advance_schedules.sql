-- Effect: move a schedule to its next tick, if it still has the revision that the caller read.
-- Locks: write. Index: primary key of {prefix}_schedules.
UPDATE {prefix}_schedules
SET next_tick = :next_tick, last_tick = :last_tick, paused = :paused, revision = revision + 1,
    updated_at = :updated_at
WHERE name = :name AND revision = :revision
