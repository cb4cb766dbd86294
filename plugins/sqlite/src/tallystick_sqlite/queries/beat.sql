-- Effect: store the description of a worker.
-- Locks: write. Index: primary key of {prefix}_workers.
INSERT INTO {prefix}_workers (name, beat, seen_at, alive_until)
VALUES (:worker, :beat, :now, :alive_until)
ON CONFLICT (name) DO UPDATE
SET beat = excluded.beat, seen_at = excluded.seen_at, alive_until = excluded.alive_until
