-- Effect: store the description of a worker, and remove the workers that were alive more than a day ago.
--     The ttl is added in UTC, because in other time zones a day may have 23 or 25 hours.
-- Locks: the row of the worker. It skips other workers that another transaction has locked. Index: primary key of workers.
WITH gone AS (
    DELETE FROM {schema}.workers
    WHERE name = ANY (
        ARRAY(
            SELECT name FROM {schema}.workers
            WHERE alive_until < {now} - interval '24 hours' AND name <> %(worker)s
            FOR UPDATE SKIP LOCKED
        )
    )
)
INSERT INTO {schema}.workers (name, beat, seen_at, alive_until)
VALUES (%(worker)s, %(beat)s, {now}, ({now} AT TIME ZONE 'UTC' + %(ttl)s) AT TIME ZONE 'UTC')
ON CONFLICT (name) DO UPDATE
SET beat = excluded.beat, seen_at = excluded.seen_at, alive_until = excluded.alive_until
RETURNING name
