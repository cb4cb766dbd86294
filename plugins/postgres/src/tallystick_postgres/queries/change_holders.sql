-- Effect: change waiting jobs that the caller has locked.
-- Locks: the rows of these jobs. Index: primary key.
UPDATE {schema}.jobs AS job
SET payload = new.payload, tags = new.tags::text[], meta = new.meta, run_at = new.run_at, updated_at = {now}
FROM unnest(
    %(ids)s::uuid[], %(payload)s::bytea[], %(tags)s::text[], %(meta)s::text[], %(run_at)s::timestamptz[]
) AS new (id, payload, tags, meta, run_at)
WHERE job.id = ANY (%(ids)s::uuid[]) AND job.id = new.id
RETURNING job.id
