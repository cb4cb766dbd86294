-- Effect: move schedules that the caller has locked to their next tick.
-- Locks: the rows of these schedules. Index: primary key of schedules.
UPDATE {schema}.schedules AS schedule
SET next_tick = moved.next_tick, last_tick = moved.last_tick, paused = moved.paused, revision = moved.revision,
    updated_at = moved.updated_at
FROM unnest(
    %(names)s::text[], %(next_ticks)s::timestamptz[], %(last_ticks)s::timestamptz[], %(pauseds)s::boolean[],
    %(revisions)s::bigint[], %(updated_ats)s::timestamptz[]
) AS moved (name, next_tick, last_tick, paused, revision, updated_at)
WHERE schedule.name = moved.name
RETURNING schedule.name
