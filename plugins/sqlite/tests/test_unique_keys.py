"""Unique keys in one file: the statements that they cost, damaged holders, callers' transactions and the last year."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tallystick import Filter, NewRecord, OnConflict, State, Unavailable, UniqueUntil
from tallystick_sqlite import SqliteBackend

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAR = 9_223_372_036_854_775_807


@pytest.fixture
def caller(path: Path, backend: SqliteBackend) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        yield connection


def new(payload: bytes = b"", on_conflict: OnConflict = "skip", until: UniqueUntil = "finished") -> NewRecord:
    return NewRecord(kind="k", payload=payload, unique_key="key", unique_until=until, on_conflict=on_conflict)


@pytest.mark.parametrize("until", ["started", "finished", "purged", MINUTE])
def test_a_free_key_costs_no_statement(backend: SqliteBackend, caller: sqlite3.Connection, until: UniqueUntil) -> None:
    """An insert executes as many statements with a unique key that is free as without a key."""

    def statements(new: NewRecord) -> int:
        executed: list[str] = []
        caller.execute("BEGIN IMMEDIATE")
        caller.set_trace_callback(executed.append)
        assert backend.insert([new], transaction=caller)[0].created
        caller.set_trace_callback(None)
        caller.execute("COMMIT")
        return len(executed)

    backend.insert([NewRecord(kind="k")])
    assert statements(new(until=until)) == statements(NewRecord(kind="k"))


@pytest.mark.parametrize("policy", ["skip", "replace", "debounce"])
@pytest.mark.parametrize(
    "damage",
    [
        "tags = cast(x'5b22ff225d' as text), meta = cast(x'ff' as text)",
        "kind = cast(x'ff' as text)",
        "last_error = 'oops', errors = 'oops'",
        f"created_at = {FAR}",
        f"created_at = -{FAR}",
        f"unique_until = '60', created_at = {FAR}",
        f"unique_until = '60', created_at = -{FAR}",
        "state = 'completed'",
        "state = 'completed', finished_at = 1",
        "attempt = 2147483647",
    ],
)
def test_an_insert_meets_a_damaged_holder(
    backend: SqliteBackend, caller: sqlite3.Connection, policy: OnConflict, damage: str
) -> None:
    """A holder with damaged values is a holder, or its time has passed. No policy fails on it."""
    debounce_max = MINUTE if policy == "debounce" else None
    [holder] = backend.insert([new(b"old")])
    caller.execute(f"UPDATE tallystick_jobs SET {damage}")
    again = NewRecord(kind="k", unique_key="key", on_conflict=policy, debounce_max=debounce_max)
    [result] = backend.insert([again])
    assert result.created == (damage == f"unique_until = '60', created_at = -{FAR}")
    assert result.created or result.record.id == holder.record.id


@pytest.mark.parametrize("policy", ["replace", "debounce"])
@pytest.mark.parametrize("has_read", [False, True])
def test_a_callers_transaction_never_changes_a_claimed_job(
    backend: SqliteBackend, caller: sqlite3.Connection, policy: OnConflict, has_read: bool
) -> None:
    """A job that is claimed after the caller's transaction began stays, even if this transaction read it before."""
    [holder] = backend.insert([new(b"old")])
    caller.execute("BEGIN")
    if has_read:
        assert caller.execute("SELECT state FROM tallystick_jobs").fetchall() == [("pending",)]
    [claimed] = backend.claim(["default"], limit=1, worker="w", lease=MINUTE)
    if has_read:
        with pytest.raises(Unavailable):
            backend.insert([new(b"new", policy)], transaction=caller)
    else:
        [result] = backend.insert([new(b"new", policy)], transaction=caller)
        assert (result.record.id, result.record.state, result.applied) == (holder.record.id, State.RUNNING, None)
        caller.execute("COMMIT")
    assert backend.list(Filter(), limit=9) == [claimed]


def test_a_time_ends_at_the_latest_with_the_last_year(backend: SqliteBackend) -> None:
    """A key that is held beyond the year 9999 is free at the last moment of that year, for inserts and requeues."""
    before = LAST - timedelta(microseconds=1)
    [holder] = backend.insert([new(until=MINUTE)], now=before)
    backend.cancel(Filter(), limit=1, now=before)
    assert not backend.insert([new()], now=before)[0].created
    [other] = backend.insert([new()], now=LAST)
    assert other.created
    assert backend.requeue(Filter(), limit=9, now=LAST) == [holder.record.id]
    assert backend.insert([new()], now=LAST)[0].record == other.record
