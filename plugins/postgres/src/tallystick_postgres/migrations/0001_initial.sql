-- Effect: create the table of jobs and its indexes, the ledger of job counts, and the tables of paused queues, schedules,
--     workers and meters.
--
-- A job is one row from its insert to its purge. It is always in exactly one of the three partial indexes on the
-- state. So each transition writes one entry to the primary key and one to one of these indexes.
--
-- A job without tags, unique key and error has no entry in the other indexes.
--
-- COLLATE "C" compares names byte by byte. It is the fastest collation, and an upgrade of the system's collations does
-- not require a rebuild.
--
-- Generated columns are computed when a column of their expression is set. If a statement sets none of these columns,
-- PostgreSQL 18 still prepares the expressions again for each row, which takes 5 to 10 us. So the statements that change
-- many jobs set `last_error` to itself.
--
-- The checks on times reject values outside the range of Python's datetime, e.g. after the server has added a delay to
-- its clock. The other checks reject rows that cannot be read as a record, or that no worker could work.
CREATE TABLE {schema}.jobs (
    id               uuid        NOT NULL PRIMARY KEY,
    run_at           timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    attempted_at     timestamptz,
    finished_at      timestamptz,
    lease_until      timestamptz,
    attempt          integer     NOT NULL DEFAULT 0,
    max_attempts     integer     NOT NULL,
    priority         smallint    NOT NULL,
    cancel_requested boolean     NOT NULL DEFAULT FALSE,
    has_other_id     boolean     NOT NULL GENERATED ALWAYS AS (
        abs(
            ('x' || replace(left(id::text, 13), '-', ''))::bit(48)::bigint
            - date_part('epoch', created_at AT TIME ZONE 'UTC') * 1000
        ) > {id_tolerance} * 1000
    ) STORED,
    state            text        NOT NULL COLLATE "C" DEFAULT 'pending',
    kind             text        NOT NULL COLLATE "C",
    queue            text        NOT NULL COLLATE "C",
    worker           text        COLLATE "C",
    unique_key       text        COLLATE "C",
    unique_until     text        NOT NULL COLLATE "C",
    held_key         text        COLLATE "C",
    tags             text[]      NOT NULL COLLATE "C" DEFAULT '{}',
    meta             text        COLLATE "C",
    last_error       text        COLLATE "C",
    error_type       text        COLLATE "C",
    error_words      text        COLLATE "C" GENERATED ALWAYS AS (
        left(split_part(last_error, '", "traceback": ', 1), {words_length})
    ) STORED,
    errors           text[]      COLLATE "C",
    progress         text        COLLATE "C",
    result           bytea,
    payload          bytea       NOT NULL,
    CONSTRAINT jobs_state CHECK (
        state IN ('pending', 'running', 'retrying', 'completed', 'discarded', 'cancelled')
    ),
    CONSTRAINT jobs_names CHECK (length(kind) BETWEEN 1 AND 255 AND length(queue) BETWEEN 1 AND 255),
    CONSTRAINT jobs_attempts CHECK (attempt >= 0 AND max_attempts >= 1),
    CONSTRAINT jobs_unique_until CHECK (unique_until IN ('started', 'finished', 'purged') OR unique_until ~ '^[1-9][0-9]{0,8}$'),
    CONSTRAINT jobs_tags_list CHECK (tags = '{}' OR (array_ndims(tags) = 1 AND array_position(tags, NULL) IS NULL)),
    CONSTRAINT jobs_errors_list CHECK (errors IS NULL OR (array_ndims(errors) = 1 AND array_lower(errors, 1) = 1)),
    CONSTRAINT jobs_lease CHECK (state <> 'running' OR lease_until IS NOT NULL),
    CONSTRAINT jobs_run_at_year CHECK (run_at < '10000-01-01 00:00:00+00'),
    CONSTRAINT jobs_lease_until_year CHECK (lease_until < '10000-01-01 00:00:00+00')
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX jobs_waiting ON {schema}.jobs (queue, priority DESC, run_at, id)
    WHERE state IN ('pending', 'retrying');

CREATE INDEX jobs_leases ON {schema}.jobs (lease_until) WHERE state = 'running';

CREATE INDEX jobs_finished ON {schema}.jobs (state, finished_at) WHERE finished_at IS NOT NULL;

CREATE UNIQUE INDEX jobs_held_keys ON {schema}.jobs (held_key) WHERE held_key IS NOT NULL;

CREATE INDEX jobs_unique_keys ON {schema}.jobs (unique_key, id) WHERE unique_key IS NOT NULL;

CREATE INDEX jobs_errors ON {schema}.jobs (id) INCLUDE (error_words) WHERE last_error IS NOT NULL;

CREATE INDEX jobs_error_types ON {schema}.jobs (error_type, id) WHERE last_error IS NOT NULL;

CREATE INDEX jobs_failed ON {schema}.jobs (finished_at, id) INCLUDE (error_type, error_words)
    WHERE last_error IS NOT NULL AND finished_at IS NOT NULL;

CREATE INDEX jobs_retrying ON {schema}.jobs (run_at, id)
    WHERE state IN ('pending', 'retrying') AND (state = 'retrying' OR last_error IS NOT NULL);

CREATE INDEX jobs_tags ON {schema}.jobs USING gin (tags) WHERE tags <> '{}';

-- An id made by UUIDv7 has nearly the time of created_at, so a range of times is a range of ids. This index has the
-- others. It has no entry of a job with such an id, unless the job finished before it was created.
CREATE INDEX jobs_other_ids ON {schema}.jobs (id) WHERE {is_other_id};

-- Most jobs finish within an hour after they were created, so a range of one time limits the other. This index has the
-- others. It has no entry of a job that finished within the hour.
CREATE INDEX jobs_late ON {schema}.jobs (finished_at, created_at) WHERE {is_late};

-- Returns the errors of a record after one more: `entry` is a JSON object without its time. The latest 20 stay.
CREATE FUNCTION {schema}.append_error(errors text[], entry text, at timestamptz) RETURNS text[] LANGUAGE sql STABLE
AS $$
    SELECT (
        errors || ('{"at": ' || (extract(epoch FROM at) * 1000000)::bigint || ', ' || substr(entry, 2))
    )[greatest(cardinality(errors) - 18, 1):]
$$;

-- Returns whether a job holds its key for a number of seconds that have passed. Without days, an interval has the same
-- length in every time zone.
CREATE FUNCTION {schema}.key_has_passed(unique_until text, created_at timestamptz, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN unique_until ~ '^[0-9]{1,9}$'
            THEN least(created_at + make_interval(secs => unique_until::integer), '9999-12-31 23:59:59.999999+00') <= at
        ELSE FALSE
    END
$$;

-- The ledger of job counts. Each statement that changes a count inserts rows, without waiting for a lock. A count is
-- the sum of its rows. The ledger also lists the known queues, so one row of each (queue, kind, state) stays, even if
-- its count is 0.
CREATE TABLE {schema}.counts (
    n     bigint NOT NULL,
    queue text   NOT NULL COLLATE "C",
    kind  text   NOT NULL COLLATE "C",
    state text   NOT NULL COLLATE "C"
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE {schema}.paused_queues (
    name text NOT NULL COLLATE "C" PRIMARY KEY
);

CREATE TABLE {schema}.schedules (
    name          text        NOT NULL COLLATE "C" PRIMARY KEY,
    rule          text        NOT NULL COLLATE "C",
    kind          text        NOT NULL COLLATE "C",
    payload       bytea       NOT NULL,
    queue         text        NOT NULL COLLATE "C",
    priority      smallint    NOT NULL,
    max_attempts  integer     NOT NULL,
    tags          text        NOT NULL COLLATE "C",
    meta          text        COLLATE "C",
    unique_key    text        COLLATE "C",
    zone          text        NOT NULL COLLATE "C",
    starts_at     timestamptz,
    ends_at       timestamptz,
    missed        text        NOT NULL COLLATE "C",
    window_micros bigint      NOT NULL,
    declared      text        COLLATE "C",
    next_tick     timestamptz,
    last_tick     timestamptz,
    paused        boolean     NOT NULL,
    revision      bigint      NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT schedules_missed CHECK (missed IN ('skip', 'last', 'all')),
    CONSTRAINT schedules_names CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT schedules_revision CHECK (revision BETWEEN 1 AND 9000000000000000000)
);

CREATE INDEX schedules_due ON {schema}.schedules (next_tick, name) WHERE next_tick IS NOT NULL AND NOT paused;

CREATE TABLE {schema}.workers (
    name        text        NOT NULL COLLATE "C" PRIMARY KEY,
    beat        text        NOT NULL COLLATE "C",
    seen_at     timestamptz NOT NULL,
    alive_until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- The numbers of one minute of a queue and kind. Sums of times are in microseconds.
CREATE TABLE {schema}.meters (
    minute    timestamptz NOT NULL,
    queue     text        NOT NULL COLLATE "C",
    kind      text        NOT NULL COLLATE "C",
    completed bigint      NOT NULL,
    retried   bigint      NOT NULL,
    discarded bigint      NOT NULL,
    released  bigint      NOT NULL,
    cancelled bigint      NOT NULL,
    waiting   bigint      NOT NULL,
    running   bigint      NOT NULL,
    PRIMARY KEY (minute, queue, kind)
) WITH (fillfactor = 80);

-- Triggers update the ledger and wake waiting clients, so that any client may change the table: an application through
-- any driver, or a user with psql.
CREATE FUNCTION {schema}.jobs_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.counts (n, queue, kind, state)
    SELECT count(*), queue, kind, state FROM new_jobs GROUP BY queue, kind, state;
    PERFORM {schema}.wake(queue, run_at)
    FROM (
        SELECT queue, min(run_at) AS run_at FROM new_jobs
        WHERE state IN ('pending', 'retrying') GROUP BY queue
    ) AS changed;
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.jobs_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.counts (n, queue, kind, state)
    SELECT sum(n), queue, kind, state
    FROM (
        SELECT 1 AS n, queue, kind, state FROM new_jobs
        UNION ALL
        SELECT -1, queue, kind, state FROM old_jobs
    ) AS line
    GROUP BY queue, kind, state
    HAVING sum(n) <> 0;
    PERFORM {schema}.wake(queue, run_at)
    FROM (
        SELECT queue, min(run_at) AS run_at FROM new_jobs
        WHERE state IN ('pending', 'retrying') GROUP BY queue
    ) AS changed;
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.jobs_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.counts (n, queue, kind, state)
    SELECT -count(*), queue, kind, state FROM old_jobs GROUP BY queue, kind, state;
    RETURN NULL;
END $$;

-- Sends one notification for each queue of a transaction: PostgreSQL removes duplicates. It begins with `+` if a job of
-- the queue can be claimed now, and with `-` if the client has to find out when.
CREATE FUNCTION {schema}.wake(queue text, run_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    sign text := '-';
BEGIN
    IF current_setting('tallystick.notify', TRUE) = 'off' THEN
        RETURN;
    END IF;
    IF run_at <= statement_timestamp() AND NOT EXISTS (SELECT FROM {schema}.paused_queues WHERE name = queue) THEN
        sign := '+';
    END IF;
    PERFORM pg_notify('{channel}', sign || queue);
END $$;

CREATE TRIGGER jobs_inserted AFTER INSERT ON {schema}.jobs
    REFERENCING NEW TABLE AS new_jobs FOR EACH STATEMENT EXECUTE FUNCTION {schema}.jobs_inserted();

CREATE TRIGGER jobs_updated AFTER UPDATE ON {schema}.jobs
    REFERENCING OLD TABLE AS old_jobs NEW TABLE AS new_jobs FOR EACH STATEMENT
    EXECUTE FUNCTION {schema}.jobs_updated();

CREATE TRIGGER jobs_deleted AFTER DELETE ON {schema}.jobs
    REFERENCING OLD TABLE AS old_jobs FOR EACH STATEMENT EXECUTE FUNCTION {schema}.jobs_deleted();

-- Functions of a worker that waits for jobs. A function keeps the plans of its statements in the session, so a claim
-- does not plan four CTEs, which takes longer than to execute them. The settings apply within the function only:
--
-- - `force_generic_plan`: each plan is made once, whatever the parameters are. Every access is by an index, in its order.
-- - `enable_seqscan` and `enable_bitmapscan` are off, because a session may plan while the table is still empty.
-- - `jit` is off, because the estimates of a generic plan are high.

-- Claims due jobs: see claim.sql.
--
-- A lane is one (queue, priority); the index keeps its jobs in claiming order. `lane` jumps from the first job of one
-- lane to the first job of the next, and reads no job in between. `first` holds the first `look` due jobs of all lanes.
-- `taken` locks `most` of them, one by one in claiming order, so it locks no job that it does not claim.
--
-- Until vacuum removes them, the index entries of claimed jobs stay at the head of a lane, and vacuum removes nothing
-- while an older transaction is open. So the statement scans a lane from its head only once, then from its first job.
--
-- Large claims of the same queues take turns, by an advisory lock. Otherwise one reads and skips every job that the other
-- has locked. A claim that waits looks every 2 ms, and goes on without its turn after 20 looks.
--
-- `taken` rechecks the state, time and queue of the row that it locks, because another client may have changed them
-- since `first` was read. The check is a CASE, so that it does not affect the plan: see settle. The lease is added in
-- UTC, because in other time zones a day may have 23 or 25 hours.
CREATE FUNCTION {schema}.claim(
    asked_queues text[], most integer, claimer text, lease interval, given timestamptz, look integer,
    claimed_before uuid[]
) RETURNS TABLE (
    id uuid, kind text, queue text, payload bytea, priority smallint, state text, attempt integer,
    max_attempts integer, run_at timestamptz, created_at timestamptz, updated_at timestamptz,
    attempted_at timestamptz, finished_at timestamptz, lease_until timestamptz, worker text,
    cancel_requested boolean, unique_key text, unique_until text, last_error text, result bytea, tags text[],
    meta text, n bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := coalesce(given, statement_timestamp());
BEGIN
    IF most > 100 THEN
        FOR pause IN 1..20 LOOP
            EXIT WHEN pg_try_advisory_xact_lock(hashtextextended('{channel}' || asked_queues::text, 2));
            PERFORM pg_sleep(0.002);
            at := coalesce(given, clock_timestamp());
        END LOOP;
    END IF;
    RETURN QUERY
    WITH RECURSIVE lane AS (
        SELECT asked.queue, first.priority, first.run_at, first.id
        FROM unnest(asked_queues) AS asked (queue)
        CROSS JOIN LATERAL (
            SELECT priority, run_at, id FROM {schema}.jobs
            WHERE queue = asked.queue AND state IN ('pending', 'retrying')
            ORDER BY priority DESC, run_at, id LIMIT 1
        ) AS first
        WHERE NOT EXISTS (SELECT FROM {schema}.paused_queues WHERE name = asked.queue)
        UNION ALL
        SELECT lane.queue, first.priority, first.run_at, first.id
        FROM lane
        CROSS JOIN LATERAL (
            SELECT priority, run_at, id FROM {schema}.jobs
            WHERE queue = lane.queue AND state IN ('pending', 'retrying') AND priority < lane.priority
            ORDER BY priority DESC, run_at, id LIMIT 1
        ) AS first
    ),
    first AS MATERIALIZED (
        SELECT due.id
        FROM lane
        CROSS JOIN LATERAL (
            SELECT run_at, id FROM {schema}.jobs
            WHERE queue = lane.queue AND priority = lane.priority AND state IN ('pending', 'retrying')
                AND (run_at, id) >= (lane.run_at, lane.id) AND run_at <= at
                AND id <> ALL (claimed_before)
            ORDER BY run_at, id LIMIT look
        ) AS due
        ORDER BY lane.priority DESC, due.run_at, due.id LIMIT look
    ),
    taken AS MATERIALIZED (
        SELECT id FROM {schema}.jobs
        WHERE id = ANY (ARRAY(SELECT id FROM first))
            AND CASE
                WHEN state IN ('pending', 'retrying') THEN run_at <= at AND queue = ANY (ARRAY(SELECT queue FROM lane))
                ELSE FALSE
            END
        ORDER BY priority DESC, run_at, id LIMIT most FOR UPDATE SKIP LOCKED
    ),
    claimed AS (
        UPDATE {schema}.jobs
        SET state = 'running', attempt = attempt + 1, worker = claimer,
            lease_until = (at AT TIME ZONE 'UTC' + lease) AT TIME ZONE 'UTC',
            held_key = CASE WHEN unique_until <> 'started' THEN held_key END,
            attempted_at = at, updated_at = at, progress = NULL, last_error = last_error
        WHERE id = ANY (ARRAY(SELECT id FROM taken))
        RETURNING {columns}
    )
    SELECT claimed.*, looked.n
    FROM (SELECT count(*) AS n FROM first) AS looked
    LEFT JOIN claimed ON TRUE;
END $$;

-- Returns the earliest run_at of the waiting jobs in the queues that are not paused: see next_due.sql.
CREATE FUNCTION {schema}.next_due(asked_queues text[]) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN (
        WITH RECURSIVE lane AS (
            SELECT asked.queue, first.priority, first.run_at
            FROM unnest(asked_queues) AS asked (queue)
            CROSS JOIN LATERAL (
                SELECT priority, run_at FROM {schema}.jobs
                WHERE queue = asked.queue AND state IN ('pending', 'retrying')
                ORDER BY priority DESC, run_at LIMIT 1
            ) AS first
            WHERE NOT EXISTS (SELECT FROM {schema}.paused_queues WHERE name = asked.queue)
            UNION ALL
            SELECT lane.queue, first.priority, first.run_at
            FROM lane
            CROSS JOIN LATERAL (
                SELECT priority, run_at FROM {schema}.jobs
                WHERE queue = lane.queue AND state IN ('pending', 'retrying') AND priority < lane.priority
                ORDER BY priority DESC, run_at LIMIT 1
            ) AS first
        )
        SELECT min(run_at) FROM lane
    );
END $$;

-- Returns the number of due jobs of a queue, and their earliest run_at. `waiting` is known from the ledger, so counting
-- either the due jobs or the future jobs is enough. The function counts both up to a bound, and raises the bound until
-- one of the counts stays below it.
CREATE FUNCTION {schema}.due(name text, waiting bigint, at timestamptz, OUT n bigint, OUT oldest timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    lanes  smallint[];
    bound  bigint := 1000;
    future bigint;
BEGIN
    IF waiting = 0 THEN
        n := 0;
        RETURN;
    END IF;
    WITH RECURSIVE lane (priority) AS (
        (
            SELECT priority FROM {schema}.jobs
            WHERE queue = name AND state IN ('pending', 'retrying')
            ORDER BY priority DESC LIMIT 1
        )
        UNION ALL
        SELECT next.priority
        FROM lane
        CROSS JOIN LATERAL (
            SELECT priority FROM {schema}.jobs
            WHERE queue = name AND state IN ('pending', 'retrying') AND priority < lane.priority
            ORDER BY priority DESC LIMIT 1
        ) AS next
    )
    SELECT array_agg(priority) INTO lanes FROM lane;

    SELECT min(first.run_at) INTO oldest
    FROM unnest(lanes) AS lane (priority)
    CROSS JOIN LATERAL (
        SELECT run_at FROM {schema}.jobs
        WHERE queue = name AND priority = lane.priority AND state IN ('pending', 'retrying') AND run_at <= at
        ORDER BY run_at, id LIMIT 1
    ) AS first;

    LOOP
        SELECT count(*) INTO n
        FROM (
            SELECT FROM unnest(lanes) AS lane (priority)
            JOIN {schema}.jobs AS job ON job.priority = lane.priority
            WHERE job.queue = name AND job.state IN ('pending', 'retrying') AND job.run_at <= at
            LIMIT bound
        ) AS counted;
        EXIT WHEN n < bound;

        SELECT count(*) INTO future
        FROM (
            SELECT FROM unnest(lanes) AS lane (priority)
            JOIN {schema}.jobs AS job ON job.priority = lane.priority
            WHERE job.queue = name AND job.state IN ('pending', 'retrying') AND job.run_at > at
            LIMIT bound
        ) AS counted;
        IF future < bound THEN
            n := waiting - future;
            EXIT;
        END IF;
        bound := bound * 10;
    END LOOP;
END $$;

-- Shows `payload` and `result` as text, for users of psql. It returns JSON in UTF-8 unchanged, escapes all other bytes,
-- and never fails. Its exception block costs a subtransaction for each value, so Tallystick itself never calls it.
CREATE FUNCTION {schema}.readable(content bytea) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    written text;
BEGIN
    written := convert_from(content, 'UTF8');
    PERFORM written::json;
    RETURN written;
EXCEPTION WHEN OTHERS THEN
    RETURN encode(content, 'escape');
END $$;

CREATE VIEW {schema}.jobs_readable AS
SELECT
    id, kind, queue, state, priority, attempt, max_attempts, {schema}.readable(payload) AS payload,
    {schema}.readable(result) AS result, last_error, run_at, created_at, updated_at, attempted_at, finished_at,
    lease_until, worker, cancel_requested, unique_key, unique_until, tags, meta
FROM {schema}.jobs;
