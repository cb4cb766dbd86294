-- Effect: read the known queues, ordered by name, and whether each is paused.
-- Locks: none. Index: none; it reads every row of the ledger.
SELECT known.queue, paused.name IS NOT NULL
FROM (SELECT DISTINCT queue FROM {schema}.counts) AS known
LEFT JOIN {schema}.paused_queues AS paused ON paused.name = known.queue
ORDER BY known.queue
