-- Effect: the table of jobs with the index of each question that is asked often, and the table of known queues.
-- Times are microseconds since 1970 in UTC, ids 16 bytes. Of the three partial indexes on the state, a job is in one at
-- a time, so that each transition costs one removal and one insertion.
-- A table with rowids: one clustered by id is no faster, and large payloads would lie in the way of each search by id.
-- Large columns come last: what is read without them need not follow the pages on which they overflow.
-- The checks refuse what a person or a program could write by mistake and no record can be made of, or no worker work.
-- The check of the state is not written with IN, for which SQLite builds a table of the six at each update: 2 us a job.
CREATE TABLE tallystick_jobs (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind             TEXT    NOT NULL CHECK (length(kind) BETWEEN 1 AND 255),
    queue            TEXT    NOT NULL CHECK (length(queue) BETWEEN 1 AND 255),
    priority         INTEGER NOT NULL CHECK (priority BETWEEN -32768 AND 32767),
    state            TEXT    NOT NULL CHECK (
        state = 'pending' OR state = 'running' OR state = 'retrying'
        OR state = 'completed' OR state = 'discarded' OR state = 'cancelled'
    ),
    attempt          INTEGER NOT NULL DEFAULT 0 CHECK (attempt BETWEEN 0 AND 2147483647),
    max_attempts     INTEGER NOT NULL CHECK (max_attempts BETWEEN 1 AND 2147483647),
    run_at           INTEGER NOT NULL CHECK (run_at BETWEEN -62135596800000000 AND 253402300799999999),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    attempted_at     INTEGER,
    finished_at      INTEGER,
    lease_until      INTEGER,
    worker           TEXT,
    cancel_requested INTEGER NOT NULL DEFAULT FALSE,
    unique_key       TEXT,
    unique_until     TEXT    NOT NULL CHECK (unique_until = 'finished' OR unique_until = 'purged'),
    held_key         TEXT,
    tags             TEXT    NOT NULL CHECK (CASE WHEN json_valid(tags) THEN json_type(tags) = 'array' ELSE FALSE END),
    last_error       TEXT,
    result           BLOB,
    payload          BLOB    NOT NULL,
    CHECK (state <> 'running' OR lease_until IS NOT NULL)
) STRICT;

CREATE INDEX tallystick_waiting ON tallystick_jobs (queue, priority DESC, run_at, id)
    WHERE state IN ('pending', 'retrying');

CREATE INDEX tallystick_leases ON tallystick_jobs (lease_until) WHERE state = 'running';

CREATE INDEX tallystick_finished ON tallystick_jobs (state, finished_at) WHERE finished_at IS NOT NULL;

CREATE UNIQUE INDEX tallystick_held_keys ON tallystick_jobs (held_key) WHERE held_key IS NOT NULL;

CREATE TABLE tallystick_queues (
    name   TEXT    NOT NULL PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT FALSE
) STRICT, WITHOUT ROWID;
