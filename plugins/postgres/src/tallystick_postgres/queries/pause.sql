-- Effect: pause a queue, and make it known.
-- Locks: the row of the queue. Index: primary key of paused_queues.
WITH known AS (
    INSERT INTO {schema}.counts (n, queue, kind, state) VALUES (0, %(queue)s, '', 'pending')
)
INSERT INTO {schema}.paused_queues (name) VALUES (%(queue)s) ON CONFLICT DO NOTHING
RETURNING name
