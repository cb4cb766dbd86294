-- Effect: add numbers to the meter of a minute, queue and kind. A sum stays at the largest integer.
-- Locks: write. Index: primary key of {prefix}_meters.
INSERT INTO {prefix}_meters AS old (
    minute, queue, kind, completed, retried, discarded, released, cancelled, waiting, running
)
VALUES (
    :minute, :queue, :kind, :completed, :retried, :discarded, :released, :cancelled, :waiting, :running
)
ON CONFLICT (minute, queue, kind) DO UPDATE
SET completed = min(old.completed + excluded.completed, 9223372036854775807),
    retried = min(old.retried + excluded.retried, 9223372036854775807),
    discarded = min(old.discarded + excluded.discarded, 9223372036854775807),
    released = min(old.released + excluded.released, 9223372036854775807),
    cancelled = min(old.cancelled + excluded.cancelled, 9223372036854775807),
    waiting = min(old.waiting + excluded.waiting, 9223372036854775807),
    running = min(old.running + excluded.running, 9223372036854775807)
