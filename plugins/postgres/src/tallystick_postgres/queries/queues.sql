-- Effect: read the known queues by name, and whether each is paused.
-- Locks: none. Index: none; every line of the ledger is read.
SELECT known.queue, paused.name IS NOT NULL
FROM (SELECT DISTINCT queue FROM {schema}.counts) AS known
LEFT JOIN {schema}.paused_queues AS paused ON paused.name = known.queue
ORDER BY known.queue
