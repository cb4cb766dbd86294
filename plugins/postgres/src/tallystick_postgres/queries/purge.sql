-- Effect: delete records in some final states, of some kinds, that finished in a range of time.
-- Locks: the rows of these jobs; skips rows that another transaction has locked. Index: jobs_finished.
WITH old AS MATERIALIZED (
    SELECT id FROM {schema}.jobs
    WHERE state = ANY (%(states)s::text[]) AND finished_at IS NOT NULL AND finished_at < %(before)s
        AND (%(since)s::timestamptz IS NULL OR finished_at >= %(since)s::timestamptz)
        AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
        AND kind <> ALL (%(except_kinds)s::text[])
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM {schema}.jobs
    WHERE id = ANY (ARRAY(SELECT id FROM old))
    RETURNING id
)
SELECT count(*) FROM gone
