-- Effect: change the waiting job that holds the unique key of a new job.
-- Locks: write, since before the caller read the job. So no claim has taken it. Index: primary key.
UPDATE {prefix}_jobs
SET payload = :payload, tags = :tags, meta = :meta, run_at = :run_at, updated_at = :now
WHERE id = :id
