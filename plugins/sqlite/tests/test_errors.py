"""The errors of a job are kept in lines of JSON, which only `get` reads."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tallystick import AttemptError, Discard, Failure, Filter, NewRecord, Record, Retry
from tallystick_sqlite import SqliteBackend

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LEASE = timedelta(minutes=1)
ERROR = Failure("Error", "one\ntwo\x00\ud800", "lines\nof a traceback\n")


def claim(backend: SqliteBackend, now: datetime = NOW) -> Record:
    [record] = backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=now)
    return record


def test_a_plain_job_has_no_error_columns(path: Path, backend: SqliteBackend) -> None:
    """A job without meta and error has NULL in their columns, and no entry in the indexes of errors."""
    backend.insert([NewRecord(kind="k")])
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT meta, error_type, last_error, errors FROM tallystick_jobs").fetchone()
    assert row == (None, None, None, None)


def test_errors_of_settles_and_rescues_are_kept_in_order(backend: SqliteBackend) -> None:
    """Retry, rescue and Discard each append an error with its attempt and time, with any text."""
    backend.insert([NewRecord(kind="k")], now=NOW)
    first = claim(backend)
    backend.settle([Retry(first.claim, NOW, ERROR)], now=NOW)
    claim(backend)
    late = NOW + 2 * LEASE
    [rescued] = backend.rescue(limit=1, now=late)
    third = claim(backend, late)
    backend.settle([Discard(third.claim, ERROR)], now=late)
    errors = backend.get([first.id])[first.id].errors
    assert [(each.attempt, each.at, each.error.type) for each in errors] == [
        (1, NOW, "Error"),
        (2, late, "LeaseExpired"),
        (3, late, "Error"),
    ]
    assert errors[0].error == ERROR
    assert rescued.errors == third.errors == backend.list(Filter(), limit=1)[0].errors == ()


def test_the_latest_errors_are_kept(path: Path, backend: SqliteBackend) -> None:
    """A record keeps its latest 20 errors, and the column does not grow beyond them."""
    [inserted] = backend.insert([NewRecord(kind="k", max_attempts=50)], now=NOW)
    for number in range(1, 24):
        record = claim(backend)
        if number % 2:
            backend.settle([Retry(record.claim, NOW, ERROR)], now=NOW)
        else:
            record = backend.rescue(limit=1, now=NOW + LEASE)[0]
            backend.requeue(Filter(ids=[record.id]), limit=1, now=NOW)
    id = inserted.record.id
    assert [error.attempt for error in backend.get([id])[id].errors] == list(range(4, 24))
    with closing(sqlite3.connect(path)) as connection:
        [text] = connection.execute("SELECT errors FROM tallystick_jobs").fetchone()
    assert text.count("\n") == 19


def test_damaged_errors_are_kept_and_extended(path: Path, backend: SqliteBackend) -> None:
    """A damaged line of `errors` is shown as text; new errors are appended to it."""
    [inserted] = backend.insert([NewRecord(kind="k")], now=NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tallystick_jobs SET errors = '{\"a\"'")
    backend.settle([Retry(claim(backend).claim, NOW, ERROR)], now=NOW)
    [damaged, good] = backend.get([inserted.record.id])[inserted.record.id].errors
    assert damaged == AttemptError.from_json('{"a"')
    assert (good.attempt, good.error) == (1, ERROR)


def test_a_type_that_no_filter_can_name_is_kept(path: Path, backend: SqliteBackend) -> None:
    """An error with a type that is not a name is stored; the column for filters stays NULL."""
    backend.insert([NewRecord(kind="k")], now=NOW)
    backend.settle([Discard(claim(backend).claim, Failure("a\0b", "m"))], now=NOW)
    [record] = backend.list(Filter(error_text="\0"), limit=9)
    assert record.last_error == Failure("a\0b", "m")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT error_type FROM tallystick_jobs").fetchone() == (None,)


def test_an_astral_character_does_not_match_its_half(backend: SqliteBackend) -> None:
    """A lone surrogate does not match a character whose JSON contains it; a traceback is not searched."""
    backend.insert([NewRecord(kind="k")], now=NOW)
    backend.settle([Discard(claim(backend).claim, Failure("E", "\U0001f600", "needle"))], now=NOW)
    assert backend.count(Filter(error_text="\ud83d")) == backend.count(Filter(error_text="needle")) == 0
    assert backend.count(Filter(error_text="\U0001f600")) == 1
