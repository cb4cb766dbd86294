"""Locks, failures, waiting and closing."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from tallystick import Claim, Closed, Filter, NewRecord, OutcomeUnknown, Unavailable
from tallystick_sqlite import SqliteBackend, errors

LEASE = timedelta(minutes=1)


def test_a_lock_that_is_kept_too_long(path: Path, url: str, backend: SqliteBackend) -> None:
    """When the busy timeout runs out the store is unavailable; reads go on, and so do writes once the lock is free."""
    with (
        SqliteBackend.from_url(f"{url}?busy_timeout=0.01") as hasty,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="busy_timeout"):
            hasty.insert([NewRecord(kind="k")])
        assert hasty.claim(["default"], limit=1, worker="w", lease=LEASE) == []  # needs no lock: nothing is due
        other.execute("ROLLBACK")
        assert hasty.insert([NewRecord(kind="k")])[0].created


def test_a_failed_write_leaves_nothing(path: Path, backend: SqliteBackend) -> None:
    """A call that fails in its midst is rolled back, and the connection is usable again."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(
            "CREATE TRIGGER bad BEFORE INSERT ON tallystick_jobs WHEN new.kind = 'bad' "
            "BEGIN SELECT RAISE(ABORT, ''); END"
        )
    with pytest.raises(Unavailable) as failure:
        backend.insert([NewRecord(kind="good"), NewRecord(kind="bad")])
    assert isinstance(failure.value.__cause__, sqlite3.IntegrityError)
    assert backend.stats().total == 0
    assert backend.insert([NewRecord(kind="good")])[0].created


def test_a_commit_that_fails_leaves_nothing(path: Path, backend: SqliteBackend) -> None:
    """A commit that is refused, here by a deferred foreign key, is rolled back, and the connection is usable again."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE parent (id PRIMARY KEY)")
        other.execute("CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        other.execute(
            "CREATE TRIGGER orphan AFTER INSERT ON tallystick_jobs WHEN new.kind = 'bad' "
            "BEGIN INSERT INTO child VALUES (1); END"
        )
    with backend._writer.reading() as connection:
        connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(Unavailable, match="FOREIGN KEY"):
        backend.insert([NewRecord(kind="bad")])
    assert backend.insert([NewRecord(kind="good")])[0].created
    assert backend.stats().total == 1


@pytest.mark.parametrize(("committing", "error"), [(True, OutcomeUnknown), (False, Unavailable)])
def test_a_disk_that_fails(path: Path, committing: bool, error: type[Exception]) -> None:
    """After an input or output error the outcome is unknown while committing; before, nothing has happened."""
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    with pytest.raises(error), errors.mapped(path, committing=committing):
        raise failure


def test_wait_sees_what_is_due_already(backend: SqliteBackend) -> None:
    """A job that is due makes wait return at once, also with no time to wait."""
    backend.insert([NewRecord(kind="k")])
    assert backend.wait(["default"], timeout=timedelta(0))


def test_wait_asks_what_claim_would_take(backend: SqliteBackend) -> None:
    """A job of another queue, of a paused queue, of the future or one that runs wakes nobody."""
    backend.insert([NewRecord(kind="k", queue="other"), NewRecord(kind="k", run_at=LEASE), NewRecord(kind="k")])
    backend.claim(["default"], limit=1, worker="w", lease=LEASE)
    assert not backend.wait(["default"], timeout=timedelta(0))
    backend.pause("other")
    assert not backend.wait(["default", "other"], timeout=timedelta(milliseconds=30))
    backend.resume("other")
    assert backend.wait(["default", "other"], timeout=timedelta(0))


def test_wait_returns_when_a_future_job_becomes_due(backend: SqliteBackend) -> None:
    """The next due time ends the wait, without any change of the store."""
    [inserted] = backend.insert([NewRecord(kind="k", run_at=timedelta(milliseconds=50))])
    assert backend.wait(["default"], timeout=timedelta(hours=1))
    assert datetime.now(UTC) >= inserted.record.run_at


def test_close_wakes_every_wait(backend: SqliteBackend) -> None:
    """Threads that wait return False when the backend is closed, long before their timeout."""
    answers: list[bool] = []
    barrier = Barrier(4)

    def wait() -> None:
        backend.wait(["default"], timeout=timedelta(0))
        barrier.wait()
        try:
            answers.append(backend.wait(["default"], timeout=timedelta(hours=1)))
        except Closed:  # it began just after
            answers.append(False)

    threads = [Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    barrier.wait()
    backend.close()
    for thread in threads:
        thread.join()
    assert answers == [False] * 3


def test_closed(backend: SqliteBackend) -> None:
    """After close every call is refused, and another close is harmless."""
    backend.close()
    backend.close()
    for call in (
        backend.setup,
        backend.teardown,
        backend.queues,
        backend.stats,
        lambda: backend.insert([NewRecord(kind="k")]),
        lambda: backend.claim(["default"], limit=1, worker="w", lease=LEASE),
        lambda: backend.extend([Claim(NewRecord(kind="k").id, 1)], lease=LEASE),
        lambda: backend.cancel(Filter(), limit=1),
        lambda: backend.wait(["default"], timeout=timedelta(0)),
    ):
        with pytest.raises(Closed):
            call()
