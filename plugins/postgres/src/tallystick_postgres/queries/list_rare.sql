-- Effect: read as list does, from the jobs of some kinds, first those in some states. The others are read only if the
--     ledger has any.
-- Locks: none. Index: jobs_finished if the states are final; for the others as in list.
-- Only PostgreSQL: on SQLite, the ledger is optional, and it exists together with an index of kinds.
SELECT {columns}
FROM (
    (
        SELECT *
        FROM {schema}.jobs
        WHERE state = ANY (%(likely)s::text[])
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
            AND (NOT %(likely_final)s OR finished_at IS NOT NULL)
            AND {matches}
        ORDER BY id DESC
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT *
        FROM {schema}.jobs
        WHERE (
                SELECT sum(n) FROM {schema}.counts
                WHERE kind = ANY (%(kinds)s::text[])
                    AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
                    AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
                    AND state <> ALL (%(likely)s::text[])
            ) > 0
            AND state <> ALL (%(likely)s::text[])
            AND (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
            AND {matches}
        ORDER BY id DESC
        LIMIT %(limit)s
    )
) AS found
ORDER BY id DESC
LIMIT %(limit)s
