-- Effect: cancel a waiting job, or request cancellation of a running one.
-- Locks: write. Index: primary key.
UPDATE {prefix}_jobs
SET state = iif(state = 'running', state, 'cancelled'),
    cancel_requested = (state = 'running'),
    finished_at = iif(state = 'running', finished_at, :now),
    held_key = iif(state <> 'running' AND unique_until IN ('finished', 'started'), NULL, held_key),
    updated_at = :now
WHERE id = :id AND (state IN ('pending', 'retrying') OR (state = 'running' AND NOT cancel_requested))
