-- Effect: count the records that match a filter with a range of created_at, up to a maximum.
-- Locks: none. Index: primary key and jobs_other_ids, or another index if the filter is selective.
-- Only PostgreSQL: on SQLite, count reads the candidates of any filter.
SELECT count(*)
FROM (
    SELECT FROM {schema}.jobs
    WHERE id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid
        AND {matches}
    UNION ALL
    SELECT FROM {schema}.jobs
    WHERE {is_other_id} AND NOT (id >= %(lowest_id)s::uuid AND id < %(highest_id)s::uuid)
        AND {matches}
    LIMIT %(at_most)s
) AS counted
