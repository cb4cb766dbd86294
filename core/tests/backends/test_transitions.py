"""The transitions as functions, compared with the table of states."""

import re
from collections.abc import Callable, Iterator
from itertools import product

import pytest
from tallystick import (
    CLAIMABLE,
    FINAL,
    TRANSITIONS,
    AttemptError,
    Cancel,
    Changes,
    Complete,
    Discard,
    Failure,
    Hold,
    NewRecord,
    OnConflict,
    Record,
    Release,
    Retry,
    State,
)
from tallystick.backends import keys, transitions

from ..helpers import NOW, SECOND

LATER = NOW + SECOND
ERROR = Failure("E", "m")

CALLS: dict[str, Callable[[Record], Record | None]] = {
    "claim": lambda record: transitions.claimed(record, "w2", LATER + SECOND, LATER),
    "settle Complete": lambda record: transitions.settled(record, Complete(record.claim, b"2"), LATER),
    "settle Retry": lambda record: transitions.settled(record, Retry(record.claim, SECOND, ERROR), LATER),
    "settle Discard": lambda record: transitions.settled(record, Discard(record.claim, ERROR), LATER),
    "settle Release": lambda record: transitions.settled(record, Release(record.claim, SECOND), LATER),
    "settle Cancel": lambda record: transitions.settled(record, Cancel(record.claim), LATER),
    "rescue": lambda record: transitions.rescued(record, LATER),
    "cancel": lambda record: transitions.cancelled(record, LATER),
    "update": lambda record: transitions.updated(record, Changes(priority=5, run_at=LATER + SECOND), LATER),
    "requeue": lambda record: transitions.requeued(record, LATER),
    "insert replace": lambda record: keys.met(record, _new("replace"), LATER, LATER).record,
    "insert debounce": lambda record: keys.met(record, _new("debounce"), LATER, LATER).record,
}
OFFERED = {State.RUNNING: ("settle", "rescue", "cancel", "requeue")} | dict.fromkeys(
    CLAIMABLE, ("claim", "cancel", "update", "insert")
)
"""The calls that a store makes in a state. It makes the rest, `cancel` and `requeue`, in every state."""


def _new(policy: OnConflict) -> NewRecord:
    return NewRecord(kind="a", payload=b"new", tags=("t",), meta={"m": "1"}, unique_key="key", on_conflict=policy)


def records() -> Iterator[Record]:
    """Yield a record in each state, with and without a requested cancellation, with and without attempts left."""
    new = NewRecord(kind="a", max_attempts=2).stored(NOW)
    for state, flagged, attempt in product(State, (False, True), (1, 2)):
        is_running, is_final = state is State.RUNNING, state in FINAL
        yield new._replace(
            state=state,
            attempt=attempt,
            attempted_at=NOW,
            worker="w1",
            cancel_requested=flagged and (is_running or is_final),
            lease_until=NOW if is_running else None,
            finished_at=NOW if is_final else None,
            result=b"1" if state is State.COMPLETED else None,
        )


def changes() -> Iterator[tuple[str, Record, Record]]:
    """Yield each change: the call, the record before it, and the record after it."""
    for record, (name, call) in product(records(), CALLS.items()):
        if name in ("cancel", "requeue") or name.split()[0] in OFFERED.get(record.state, ()):
            after = call(record)
            if after is not None:
                yield name, record, after


def test_the_transitions_are_those_of_the_table() -> None:
    """Each transition of the table that changes a record is made, and no other."""
    table = {(way.source, way.by, way.target) for way in TRANSITIONS if way.source is not None and way.target}
    assert {(before.state, by, after.state) for by, before, after in changes()} == table


def test_the_fields_are_those_of_the_table() -> None:
    """A transition changes the fields that the table names, `state` and `updated_at`, and no other."""
    sets = {(way.source, way.by, way.target): set(re.findall(r"\w+", way.sets)) for way in TRANSITIONS}
    seen: dict[tuple[State, str, State], set[str]] = {}
    for by, before, after in changes():
        changed = {name for name in Record._fields if getattr(before, name) != getattr(after, name)}
        seen.setdefault((before.state, by, after.state), set()).update(changed)
        assert after.updated_at == LATER
    for way, changed in seen.items():
        assert changed - {"state", "updated_at"} <= sets[way], way


def test_a_requested_cancellation_ends_the_job() -> None:
    """A retry, a release and a rescue of a job whose cancellation was requested make it cancelled."""
    for by, before, after in changes():
        if before.cancel_requested and by in ("settle Retry", "settle Release", "rescue"):
            assert (after.state, after.finished_at) == (State.CANCELLED, LATER)


def test_attempts() -> None:
    """A rescue discards a job without attempts left; a release adds one, and a requeue leaves at least one."""
    for by, before, after in changes():
        if by == "rescue" and not before.cancel_requested:
            assert (after.state is State.DISCARDED) == (before.attempt == before.max_attempts)
        if by == "settle Release":
            assert after.max_attempts == before.max_attempts + 1
        if by == "requeue":
            assert after.max_attempts == max(before.max_attempts, before.attempt + 1)


def test_settled_fields() -> None:
    """A retry and a release are due at their time; a completion has the result, and a failure the error."""
    running = next(record for record in records() if record.state is State.RUNNING)
    assert CALLS["settle Retry"](running) == running._replace(
        state=State.RETRYING,
        run_at=LATER + SECOND,
        last_error=ERROR,
        errors=(AttemptError(running.attempt, LATER, ERROR),),
        lease_until=None,
        updated_at=LATER,
    )
    assert CALLS["settle Complete"](running) == running._replace(
        state=State.COMPLETED, result=b"2", finished_at=LATER, lease_until=None, updated_at=LATER
    )


def test_errors_are_capped() -> None:
    """A record keeps the errors of its last 20 failed attempts, each cut to its maximum length."""
    record = next(record for record in records() if record.state is State.RUNNING)
    for attempt in range(25):
        running = record._replace(state=State.RUNNING, attempt=attempt)
        record = transitions.settled(running, Retry(running.claim, SECOND, ERROR), LATER)
    assert [error.attempt for error in record.errors] == [*range(5, 25)]
    assert transitions.without_details(record) == record._replace(errors=())
    long = AttemptError.of(1, NOW, Failure("E" * 300, "m" * 2_000, "t" * 9_000 + "end")).error
    assert (len(long.type), len(long.message), len(long.traceback)) == (255, 1_000, 8_000)
    assert long.traceback.endswith("end")


def test_update() -> None:
    """An update changes the given fields of a waiting job, and returns None if no value differs."""
    for record in records():
        updated = transitions.updated(record, Changes(queue="other"), LATER)
        if record.state in CLAIMABLE:
            assert updated == record._replace(queue="other", updated_at=LATER)
        else:
            assert updated is None
        assert transitions.updated(record, Changes(queue=record.queue, run_at=record.run_at), LATER) is None


def test_extension() -> None:
    """An extension changes the end of the lease only."""
    running = next(record for record in records() if record.state is State.RUNNING)
    assert transitions.extended(running, LATER, NOW + 2 * SECOND) == running._replace(
        lease_until=LATER, updated_at=NOW + 2 * SECOND
    )


def test_stale_claims() -> None:
    """An attempt is current if the job is running, and the attempt is its latest."""
    for record in records():
        assert transitions.is_current(record, record.attempt) == (record.state is State.RUNNING)
        assert not transitions.is_current(record, record.attempt - 1)


@pytest.mark.parametrize(
    ("cancel_requested", "hold"), [(None, Hold.LOST), (False, Hold.HELD), (True, Hold.CANCEL_REQUESTED)]
)
def test_hold(cancel_requested: bool | None, hold: Hold) -> None:
    """An extension of a stale claim is lost; any other returns whether the worker should stop."""
    assert transitions.hold(cancel_requested) is hold
