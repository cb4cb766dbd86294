-- Effect: count the records of each queue, kind and state: all, and those that are due; read the earliest of these.
-- Locks: none. Index: none; every record is read.
SELECT
    queue, kind, state, count(*),
    count(*) FILTER (WHERE state IN ('pending', 'retrying') AND run_at <= :now),
    min(run_at) FILTER (WHERE state IN ('pending', 'retrying') AND run_at <= :now)
FROM tallystick_jobs
GROUP BY queue, kind, state
