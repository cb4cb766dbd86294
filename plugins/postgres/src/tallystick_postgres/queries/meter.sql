-- Effect: add numbers to the meters of minutes, and remove the minutes before `oldest`. A sum stays at the largest bigint.
-- Locks: the rows of these meters, in the order of their keys. It skips old rows that another transaction has locked.
--     Index: primary key of meters.
WITH gone AS (
    DELETE FROM {schema}.meters
    WHERE ctid = ANY (
        ARRAY(SELECT ctid FROM {schema}.meters WHERE minute < %(oldest)s::timestamptz FOR UPDATE SKIP LOCKED)
    )
),
added AS (
    INSERT INTO {schema}.meters AS old (
        minute, queue, kind, completed, retried, discarded, released, cancelled, waiting, running
    )
    SELECT minute, queue, kind, completed, retried, discarded, released, cancelled, waiting, running
    FROM unnest(
        %(minute)s::timestamptz[], %(queue)s::text[], %(kind)s::text[], %(completed)s::bigint[], %(retried)s::bigint[],
        %(discarded)s::bigint[], %(released)s::bigint[], %(cancelled)s::bigint[], %(waiting)s::bigint[],
        %(running)s::bigint[]
    ) AS new (minute, queue, kind, completed, retried, discarded, released, cancelled, waiting, running)
    ORDER BY minute, queue, kind
    ON CONFLICT (minute, queue, kind) DO UPDATE
    SET completed = least(old.completed::numeric + excluded.completed, 9223372036854775807)::bigint,
        retried = least(old.retried::numeric + excluded.retried, 9223372036854775807)::bigint,
        discarded = least(old.discarded::numeric + excluded.discarded, 9223372036854775807)::bigint,
        released = least(old.released::numeric + excluded.released, 9223372036854775807)::bigint,
        cancelled = least(old.cancelled::numeric + excluded.cancelled, 9223372036854775807)::bigint,
        waiting = least(old.waiting::numeric + excluded.waiting, 9223372036854775807)::bigint,
        running = least(old.running::numeric + excluded.running, 9223372036854775807)::bigint
    RETURNING 1
)
SELECT count(*) FROM added
