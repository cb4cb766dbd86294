-- Effect: create the optional indexes for searches, and the ledger: a count for each queue, kind and state, which triggers
--     keep.
-- Locks: write. Index: none.
CREATE INDEX IF NOT EXISTS {prefix}_search_kinds ON {prefix}_jobs (kind, id);
CREATE INDEX IF NOT EXISTS {prefix}_search_queues ON {prefix}_jobs (queue, id);
CREATE INDEX IF NOT EXISTS {prefix}_search_workers ON {prefix}_jobs (worker, id) WHERE worker IS NOT NULL;
CREATE TABLE IF NOT EXISTS {prefix}_counts (
    queue TEXT    NOT NULL,
    kind  TEXT    NOT NULL,
    state TEXT    NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (queue, kind, state)
) STRICT, WITHOUT ROWID;
DELETE FROM {prefix}_counts;
INSERT INTO {prefix}_counts (queue, kind, state, n)
SELECT queue, kind, state, count(*) FROM {prefix}_jobs GROUP BY queue, kind, state;
CREATE TRIGGER IF NOT EXISTS {prefix}_counted AFTER INSERT ON {prefix}_jobs BEGIN
    INSERT INTO {prefix}_counts (queue, kind, state, n) VALUES (new.queue, new.kind, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE TRIGGER IF NOT EXISTS {prefix}_recounted AFTER UPDATE OF queue, kind, state ON {prefix}_jobs
WHEN (old.queue, old.kind, old.state) <> (new.queue, new.kind, new.state) BEGIN
    UPDATE {prefix}_counts SET n = n - 1 WHERE queue = old.queue AND kind = old.kind AND state = old.state; INSERT INTO {prefix}_counts (queue, kind, state, n) VALUES (new.queue, new.kind, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE TRIGGER IF NOT EXISTS {prefix}_uncounted AFTER DELETE ON {prefix}_jobs BEGIN
    UPDATE {prefix}_counts SET n = n - 1 WHERE queue = old.queue AND kind = old.kind AND state = old.state; END
