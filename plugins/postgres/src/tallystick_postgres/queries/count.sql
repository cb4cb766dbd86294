-- Effect: count the records that match a filter, up to a maximum.
-- Locks: none. Index: as in list.
SELECT count(*) FROM (SELECT FROM {schema}.jobs WHERE {matches} LIMIT %(at_most)s) AS counted
