"""Tests of the helpers for unique keys: how long a job holds one, and the effect of an insert on the holder."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tallystick import FINAL, NewRecord, OnConflict, Record, State, UniqueUntil
from tallystick.backends import keys

NOW = datetime(2026, 11, 29, tzinfo=UTC)
HOUR = timedelta(hours=1)


def record(until: UniqueUntil = "finished", state: State = State.PENDING, attempt: int = 0) -> Record:
    """Return a stored job with a unique key."""
    stored = NewRecord(kind="k", unique_key="key", unique_until=until, payload=b"old").stored(NOW)
    return stored._replace(state=state, attempt=attempt)


def new(on_conflict: OnConflict = "skip", **fields: object) -> NewRecord:
    """Return a new job with the same key."""
    job = NewRecord(kind="k", unique_key="key", on_conflict=on_conflict, payload=b"new", tags=("t",), meta={"m": "1"})
    return replace(job, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("attempt", [0, 1])
def test_holds(state: State, attempt: int) -> None:
    """A key is held until the first claim, until the job is final, or in every state."""
    final = state in FINAL
    assert keys.holds(record("started", state, attempt)) == (attempt == 0 and not final)
    assert keys.holds(record("finished", state, attempt)) == (not final)
    assert keys.holds(record("purged", state, attempt))
    assert keys.holds(record(HOUR, state, attempt))
    assert not keys.holds(record(HOUR, state, attempt)._replace(unique_key=None))


def test_the_end_of_a_time() -> None:
    """The time of a key starts at the insert, and has passed exactly at its end."""
    timed = record(HOUR)
    assert keys.held_until(timed) == NOW + HOUR
    assert not keys.has_passed(timed, NOW + HOUR - timedelta(microseconds=1))
    assert keys.has_passed(timed, NOW + HOUR)
    assert keys.takes(timed, NOW)
    assert not keys.takes(timed, NOW + HOUR)
    assert keys.held_until(record("purged")) is None
    assert not keys.has_passed(record("purged"), datetime.max.replace(tzinfo=UTC))


def test_a_time_after_the_last_year() -> None:
    """A time that ends after the year 9999 ends with it."""
    last = datetime.max.replace(tzinfo=UTC)
    assert keys.held_until(record(HOUR)._replace(created_at=last - HOUR / 2)) == last


@pytest.mark.parametrize("until", ["started", "finished", "purged", timedelta(seconds=1), timedelta(days=3_650)])
def test_text(until: UniqueUntil) -> None:
    """The text of `unique_until` can be read again."""
    assert keys.from_text(keys.to_text(until)) == until


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "9" * 40])
def test_damaged_text(text: str) -> None:
    """Damaged text is read as `purged`."""
    assert keys.from_text(text) == "purged"


def test_skip() -> None:
    """`skip` leaves the holder as it is."""
    holder = record()
    assert keys.met(holder, new(), NOW + HOUR, NOW + HOUR) == (holder, False, None)


@pytest.mark.parametrize("state", [State.PENDING, State.RETRYING])
def test_replace(state: State) -> None:
    """`replace` sets payload, tags and meta of a waiting holder."""
    holder = record(state=state)
    result = keys.met(holder, new("replace"), NOW + HOUR, NOW + HOUR)
    expected = holder._replace(payload=b"new", tags=("t",), meta={"m": "1"}, updated_at=NOW + HOUR)
    assert result == (expected, False, "replace")


@pytest.mark.parametrize(
    ("maximum", "run_at"), [(None, 3 * HOUR), (HOUR, HOUR), (2 * HOUR, 2 * HOUR), (4 * HOUR, 3 * HOUR)]
)
def test_debounce(maximum: timedelta | None, run_at: timedelta) -> None:
    """`debounce` also sets run_at, at most to created_at + debounce_max."""
    result = keys.met(record(), new("debounce", debounce_max=maximum), NOW + 3 * HOUR, NOW + 2 * HOUR)
    assert (result.record.run_at, result.record.payload, result.applied) == (NOW + run_at, b"new", "debounce")


@pytest.mark.parametrize("policy", ["replace", "debounce"])
@pytest.mark.parametrize("state", [State.RUNNING, *FINAL])
def test_a_holder_that_does_not_wait(policy: OnConflict, state: State) -> None:
    """A running or final holder stays as it is."""
    holder = record("purged", state)
    assert keys.met(holder, new(policy), NOW + HOUR, NOW) == (holder, False, None)


@pytest.mark.parametrize("policy", ["replace", "debounce"])
def test_another_kind(policy: OnConflict) -> None:
    """A holder of another kind stays as it is, because its handler could not read the payload."""
    holder = record()
    assert keys.met(holder, new(policy, kind="other"), NOW + HOUR, NOW) == (holder, False, None)
