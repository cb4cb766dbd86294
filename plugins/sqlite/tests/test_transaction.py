"""Inserting in the caller's transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tallystick import Closed, Filter, InvalidArgument, NewRecord, PayloadTooLarge, Unavailable
from tallystick_sqlite import SqliteBackend


@pytest.fixture
def caller(path: Path, backend: SqliteBackend) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        connection.execute("CREATE TABLE orders (id)")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO orders VALUES (1)")
        yield connection


def test_committed_with_the_callers_rows(backend: SqliteBackend, caller: sqlite3.Connection) -> None:
    """The job is stored when the caller commits, not before."""
    [inserted] = backend.insert([NewRecord(kind="k", queue="q")], transaction=caller)
    assert inserted.created
    assert backend.list(Filter(), limit=9) == []
    caller.commit()
    assert backend.list(Filter(), limit=9) == [inserted.record]
    assert [queue.name for queue in backend.queues()] == ["q"]


def test_rolled_back_with_the_callers_rows(backend: SqliteBackend, caller: sqlite3.Connection) -> None:
    """If the caller rolls back, neither the job nor its queue is stored."""
    backend.insert([NewRecord(kind="k")], transaction=caller)
    caller.rollback()
    assert backend.stats().total == 0
    assert backend.queues() == []


def test_a_failed_insert_keeps_the_callers_rows(backend: SqliteBackend, caller: sqlite3.Connection) -> None:
    """An insert that fails rolls back only its own rows; the caller's transaction continues."""
    caller.execute(
        "CREATE TRIGGER bad BEFORE INSERT ON tallystick_jobs WHEN new.kind = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(Unavailable):
        backend.insert([NewRecord(kind="good"), NewRecord(kind="bad")], transaction=caller)
    with pytest.raises(PayloadTooLarge):
        backend.insert([NewRecord(kind="k", payload=bytes(17 * 2**20))], transaction=caller)
    caller.commit()
    assert backend.stats().total == 0
    assert caller.execute("SELECT * FROM orders").fetchall() == [(1,)]


@pytest.mark.parametrize("text_factory", [bytes, lambda text: 1 / 0])
@pytest.mark.parametrize("row_factory", [sqlite3.Row, lambda cursor, row: None])
def test_the_callers_factories_do_not_matter(
    backend: SqliteBackend, caller: sqlite3.Connection, row_factory: Any, text_factory: Any
) -> None:
    """Duplicates are read correctly with any row and text factories, and the connection keeps its factories."""
    caller.row_factory, caller.text_factory = row_factory, text_factory
    new = NewRecord(kind="k", unique_key="key", tags=("t",))
    [first] = backend.insert([new], transaction=caller)
    [again, holder] = backend.insert([new, NewRecord(kind="other", unique_key="key")], transaction=caller)
    assert (again, holder) == (first._replace(created=False),) * 2
    assert (caller.row_factory, caller.text_factory) == (row_factory, text_factory)


def test_other_objects_are_rejected(
    backend: SqliteBackend, caller: sqlite3.Connection, path: Path, tmp_path: Path
) -> None:
    """Another type, a connection without a transaction, one to another file, and a closed one are rejected."""
    with (
        closing(sqlite3.connect(path)) as idle,
        closing(sqlite3.connect(tmp_path / "other.db")) as other,
        closing(sqlite3.connect(":memory:")) as memory,
    ):
        other.execute("BEGIN")
        memory.execute("BEGIN")
        closed = sqlite3.connect(path)
        closed.close()
        for wrong, message in (
            (object(), "of type object"),
            (caller.cursor(), "of type Cursor"),
            (idle, "without a transaction"),
            (other, "other.db"),
            (memory, "no file"),
            (closed, "cannot be used"),
        ):
            with pytest.raises(InvalidArgument, match=message):
                backend.insert([NewRecord(kind="k")], transaction=wrong)


def test_closed(backend: SqliteBackend, caller: sqlite3.Connection) -> None:
    """A closed backend rejects inserts in a caller's transaction too."""
    backend.close()
    with pytest.raises(Closed):
        backend.insert([NewRecord(kind="k")], transaction=caller)
