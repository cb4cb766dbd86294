-- Effect: count the records in the ranges of times of a filter, up to a maximum.
-- Locks: none. Index: primary key alone for created_at, jobs_finished alone for finished_at.
-- Only PostgreSQL: on SQLite, count_candidates does so.
SELECT least(
    CASE WHEN %(lowest_id)s::uuid IS NULL THEN %(at_most)s ELSE (
        SELECT count(*)
        FROM (
            SELECT FROM {schema}.jobs
            WHERE id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid
            LIMIT %(at_most)s
        ) AS counted
    ) END,
    CASE WHEN %(finished_since)s::timestamptz IS NULL AND %(finished_until)s::timestamptz IS NULL THEN %(at_most)s ELSE (
        SELECT count(*)
        FROM (
            SELECT FROM {schema}.jobs
            WHERE state = ANY (%(finals)s::text[]) AND finished_at IS NOT NULL
                AND (%(finished_since)s::timestamptz IS NULL OR finished_at >= %(finished_since)s::timestamptz)
                AND (%(finished_until)s::timestamptz IS NULL OR finished_at < %(finished_until)s::timestamptz)
            LIMIT %(at_most)s
        ) AS counted
    ) END
)
