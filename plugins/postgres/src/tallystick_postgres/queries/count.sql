-- Effect: count the records that match a filter, up to a maximum.
-- Locks: none. Index: as in list.
SELECT count(*)
FROM (
    SELECT FROM {schema}.jobs
    WHERE (NOT %(are_final)s OR finished_at IS NOT NULL)
        AND {matches}
    LIMIT %(at_most)s
) AS counted
