-- Effect: hand out the jobs of a queue again, and wake those who wait for them.
-- Locks: its row. Index: primary key of paused_queues.
WITH resumed AS (
    DELETE FROM {schema}.paused_queues WHERE name = %(queue)s RETURNING name
)
SELECT {schema}.wake(name) FROM resumed
