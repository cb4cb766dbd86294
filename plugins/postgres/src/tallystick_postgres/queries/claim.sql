-- Effect: begin an attempt of the first due jobs, in claiming order, of the queues that are not paused. A job
--     releases its unique key if it holds it until it is started. The function `claim` of the first migration does it.
-- Locks: the rows of the claimed jobs; skips rows that another transaction has locked. If `limit` is above 100, an
--     advisory lock for these queues: it waits at most about 40 ms for it, and goes on without it then.
-- Index: jobs_waiting; primary key.
-- Order: the rows are in no order. `n` is the number of due jobs that the statement looked at. If no job is claimed, one
--     row has only `n`.
--
-- If other clients hold some of these jobs, the caller repeats the statement with a larger `look`. It passes the ids of
-- the jobs that it has claimed so far: another client may make one of them due again, and the call must not return it
-- twice.
SELECT {columns}, n
FROM {schema}.claim(
    %(queues)s::text[], %(limit)s, %(worker)s, %(lease)s, %(now)s::timestamptz, %(look)s, %(taken)s::uuid[]
)
