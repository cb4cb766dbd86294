-- Effect: count all records and the due jobs of each queue, kind and state, and read the earliest run_at of the latter.
-- Locks: none. Index: none; it reads every record.
SELECT
    queue, kind, state, count(*),
    count(*) FILTER (WHERE state IN ('pending', 'retrying') AND run_at <= :now),
    min(run_at) FILTER (WHERE state IN ('pending', 'retrying') AND run_at <= :now)
FROM {prefix}_jobs
GROUP BY queue, kind, state
