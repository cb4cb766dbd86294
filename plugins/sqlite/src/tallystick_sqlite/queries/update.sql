-- Effect: change run_at, priority or queue of a waiting job that has another value. NULL leaves a column unchanged.
-- Locks: write. Index: primary key.
UPDATE {prefix}_jobs
SET run_at = coalesce(:run_at, run_at), priority = coalesce(:priority, priority), queue = coalesce(:queue, queue),
    updated_at = :now
WHERE id = :id AND state IN ('pending', 'retrying')
    AND (
        run_at <> coalesce(:run_at, run_at)
        OR priority <> coalesce(:priority, priority)
        OR queue <> coalesce(:queue, queue)
    )
