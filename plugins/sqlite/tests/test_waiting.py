"""The due time for which a client waits."""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta

import pytest
from support import eventually
from tallystick import NewRecord
from tallystick_sqlite import SqliteBackend, claiming
from tallystick_sqlite.queries import Queries

AT_ONCE = timedelta(0)
HOUR = timedelta(hours=1)


def test_the_due_time_is_queried_only_after_a_commit(
    url: str, backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One `wait` after another uses the same query, until another connection commits, or for other queues."""
    queried: list[object] = []
    query = claiming.next_due

    def counted(connection: sqlite3.Connection, queries: Queries, names: str | None) -> int | None:
        queried.append(names)
        return query(connection, queries, names)

    monkeypatch.setattr(claiming, "next_due", counted)

    def wait(queues: Sequence[str]) -> tuple[bool, int]:
        found = backend.wait(queues, timeout=AT_ONCE)
        return found, len(queried)

    with SqliteBackend.from_url(url) as other:
        assert [wait(["a"]), wait(["a"])] == [(False, 1), (False, 1)]
        other.insert([NewRecord(kind="k", queue="a", run_at=HOUR)])
        assert [wait(["a"]), wait(["a"])] == [(False, 2), (False, 2)]
        assert [wait(["b"]), wait(["a"])] == [(False, 3), (False, 4)]
        backend.insert([NewRecord(kind="k", queue="a", run_at=HOUR)])
        assert [wait(["a"]), wait(["a"])] == [(False, 5), (False, 5)]
        other.insert([NewRecord(kind="k", queue="a")])
        assert [wait(["a"]), wait(["a"])] == [(True, 6), (True, 6)]
        other.pause("a")
        assert [wait(["a"]), wait(["a"])] == [(False, 7), (False, 7)]
        other.resume("a")
        assert wait(["a"]) == (True, 8)


def test_a_job_becomes_due_between_two_waits(backend: SqliteBackend) -> None:
    """The time until the first job is due counts from each look, not from the query."""
    backend.insert([NewRecord(kind="k", run_at=timedelta(milliseconds=50))])
    eventually(lambda: backend.wait(["default"], timeout=AT_ONCE))
