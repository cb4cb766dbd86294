-- Effect: create the table of jobs and its indexes, and the tables of queues, schedules, workers and meters.
--
-- Times are microseconds since 1970 in UTC, and ids are 16 bytes. A job is always in exactly one of the three partial
-- indexes on the state, so each transition costs one index deletion and one insertion.
--
-- The table is clustered by a number: by id it is no faster, and each search by id would have to pass payloads. A
-- large payload is in a table of its own, because each update of a row writes the whole row. The job has NULL then.
-- Large columns come last, so that reading the others does not follow overflow pages. `errors` has a line of JSON for
-- each error, and `progress` is JSON; only `get` reads them.
--
-- A job without unique key and error has no entry in the other partial indexes. The indexes of errors have `error_words`,
-- the JSON of an error up to its traceback. So a search for text reads the table only for the records that it finds.
--
-- `unique_until` is a state or a number of seconds after `created_at`. `held_key` is the unique key while the job holds
-- it. It stays after these seconds have passed, until the next insert or requeue with the key removes it.
--
-- The checks reject rows that cannot be read as a record, or that no worker could work. The check of the state does not
-- use IN, because SQLite would build a table of the six values at each update, which takes 2 us a job.
CREATE TABLE {prefix}_jobs (
    number           INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
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
    unique_until     TEXT    NOT NULL CHECK (
        unique_until = 'finished' OR unique_until = 'started' OR unique_until = 'purged'
        OR (
            unique_until = CAST(CAST(unique_until AS INTEGER) AS TEXT)
            AND CAST(unique_until AS INTEGER) BETWEEN 1 AND 315360000
        )
    ),
    held_key         TEXT,
    tags             TEXT    NOT NULL CHECK (CASE WHEN json_valid(tags) THEN json_type(tags) = 'array' ELSE FALSE END),
    meta             TEXT,
    error_type       TEXT,
    last_error       TEXT,
    error_words      TEXT    GENERATED ALWAYS AS (
        CASE
            WHEN instr(last_error, '", "traceback": ')
                THEN substr(last_error, 1, instr(last_error, '", "traceback": ') - 1)
            ELSE last_error
        END
    ) VIRTUAL,
    result           BLOB,
    payload          BLOB,
    errors           TEXT,
    progress         TEXT,
    CHECK (state <> 'running' OR lease_until IS NOT NULL)
) STRICT;

CREATE INDEX {prefix}_waiting ON {prefix}_jobs (queue, priority DESC, run_at, id)
    WHERE state IN ('pending', 'retrying');

CREATE INDEX {prefix}_leases ON {prefix}_jobs (lease_until) WHERE state = 'running';

CREATE INDEX {prefix}_finished ON {prefix}_jobs (state, finished_at) WHERE finished_at IS NOT NULL;

CREATE UNIQUE INDEX {prefix}_held_keys ON {prefix}_jobs (held_key) WHERE held_key IS NOT NULL;

CREATE INDEX {prefix}_unique_keys ON {prefix}_jobs (unique_key, id) WHERE unique_key IS NOT NULL;

CREATE INDEX {prefix}_errors ON {prefix}_jobs (id, error_words) WHERE last_error IS NOT NULL;

CREATE INDEX {prefix}_error_types ON {prefix}_jobs (error_type, id) WHERE error_type IS NOT NULL;

CREATE INDEX {prefix}_failed ON {prefix}_jobs (finished_at, id, error_type, error_words)
    WHERE last_error IS NOT NULL AND finished_at IS NOT NULL;

CREATE INDEX {prefix}_retrying ON {prefix}_jobs (run_at, id, error_type, error_words)
    WHERE state IN ('pending', 'retrying') AND (state = 'retrying' OR last_error IS NOT NULL);

-- An id made by UUIDv7 has nearly the time of created_at, so a range of times is a range of ids. This index has the
-- others. It has no entry of a job with such an id.
CREATE INDEX {prefix}_other_ids ON {prefix}_jobs (id) WHERE {is_other_id};

-- A job that finished before it was created, by the times of the calls, is outside of a range of finished_at. This
-- condition is not part of the index above: the end of a job would compute the bounds of its id again.
CREATE INDEX {prefix}_backwards ON {prefix}_jobs (id) WHERE {is_backwards};

-- Most jobs finish within an hour after they were created, so a range of one time limits the other. This index has the
-- others. It has no entry of a job that finished within the hour.
CREATE INDEX {prefix}_late ON {prefix}_jobs (finished_at, created_at) WHERE {is_late};

-- The large payloads of jobs. The client adds them, as it does the tags.
CREATE TABLE {prefix}_payloads (
    job     INTEGER PRIMARY KEY,
    content BLOB    NOT NULL
) STRICT;

CREATE TRIGGER {prefix}_payload_changed AFTER UPDATE OF payload ON {prefix}_jobs WHEN old.payload IS NULL BEGIN
    DELETE FROM {prefix}_payloads WHERE job = old.number; END;

CREATE TRIGGER {prefix}_payload_deleted AFTER DELETE ON {prefix}_jobs WHEN old.payload IS NULL BEGIN
    DELETE FROM {prefix}_payloads WHERE job = old.number; END;

-- The tags of jobs. The client adds them, because a trigger would run at each insert, also of a job without tags.
CREATE TABLE {prefix}_tags (
    tag TEXT NOT NULL,
    id  BLOB NOT NULL,
    PRIMARY KEY (tag, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER {prefix}_retagged AFTER UPDATE OF tags, id ON {prefix}_jobs BEGIN
    DELETE FROM {prefix}_tags WHERE id = old.id AND tag IN (SELECT value FROM json_each(old.tags)); INSERT OR IGNORE INTO {prefix}_tags (tag, id) SELECT value, new.id FROM json_each(new.tags); END;

CREATE TRIGGER {prefix}_untagged AFTER DELETE ON {prefix}_jobs WHEN old.tags <> '[]' BEGIN
    DELETE FROM {prefix}_tags WHERE id = old.id AND tag IN (SELECT value FROM json_each(old.tags)); END;

CREATE TABLE {prefix}_queues (
    name   TEXT    NOT NULL PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT FALSE
) STRICT, WITHOUT ROWID;

CREATE TABLE {prefix}_schedules (
    name          TEXT    NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 200),
    rule          TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    payload       BLOB    NOT NULL,
    queue         TEXT    NOT NULL,
    priority      INTEGER NOT NULL,
    max_attempts  INTEGER NOT NULL,
    tags          TEXT    NOT NULL,
    meta          TEXT,
    unique_key    TEXT,
    zone          TEXT    NOT NULL,
    starts_at     INTEGER,
    ends_at       INTEGER,
    missed        TEXT    NOT NULL CHECK (missed IN ('skip', 'last', 'all')),
    window_micros INTEGER NOT NULL,
    declared      TEXT,
    next_tick     INTEGER,
    last_tick     INTEGER,
    paused        INTEGER NOT NULL,
    revision      INTEGER NOT NULL CHECK (revision BETWEEN 1 AND 9000000000000000000),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX {prefix}_schedules_due ON {prefix}_schedules (next_tick, name)
    WHERE next_tick IS NOT NULL AND NOT paused;

CREATE TABLE {prefix}_workers (
    name        TEXT    NOT NULL PRIMARY KEY,
    beat        TEXT    NOT NULL,
    seen_at     INTEGER NOT NULL,
    alive_until INTEGER NOT NULL
) STRICT;

-- The numbers of one minute of a queue and kind. Sums of times are in microseconds.
CREATE TABLE {prefix}_meters (
    minute    INTEGER NOT NULL,
    queue     TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    completed INTEGER NOT NULL,
    retried   INTEGER NOT NULL,
    discarded INTEGER NOT NULL,
    released  INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    waiting   INTEGER NOT NULL,
    running   INTEGER NOT NULL,
    PRIMARY KEY (minute, queue, kind)
) STRICT, WITHOUT ROWID;
