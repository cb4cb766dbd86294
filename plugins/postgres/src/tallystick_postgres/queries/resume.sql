-- Effect: resume a queue, and wake the clients that wait for its jobs.
-- Locks: the row of the queue. Index: primary key of paused_queues.
WITH resumed AS (
    DELETE FROM {schema}.paused_queues WHERE name = %(queue)s RETURNING name
)
SELECT {schema}.wake(name, NULL) FROM resumed
