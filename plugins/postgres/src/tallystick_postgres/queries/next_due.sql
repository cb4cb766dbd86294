-- Effect: read the earliest run_at of the waiting jobs in the queues that are not paused; NULL if there are none. The
--     function `next_due` of the first migration does it.
-- Locks: none. Index: jobs_waiting. It reads one entry for each (queue, priority), however many jobs wait.
SELECT {schema}.next_due(%(queues)s::text[]), statement_timestamp()
