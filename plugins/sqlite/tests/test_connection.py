"""Locks, failures, waiting and closing."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from support import PATIENCE, eventually
from tallystick import Claim, Closed, Filter, NewRecord, OutcomeUnknown, Unavailable
from tallystick_sqlite import SqliteBackend, errors, write_lock
from tallystick_sqlite.connection import Connection
from tallystick_sqlite.location import Location

LEASE = timedelta(minutes=1)


def test_a_lock_that_is_held_too_long(path: Path, url: str, backend: SqliteBackend) -> None:
    """After the busy timeout, writes raise Unavailable; reads work, and writes work again once the lock is free."""
    with (
        SqliteBackend.from_url(f"{url}?busy_timeout=0.01") as impatient,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="busy_timeout"):
            impatient.insert([NewRecord(kind="k")])
        assert impatient.claim(["default"], limit=1, worker="w", lease=LEASE) == []  # needs no lock
        other.execute("ROLLBACK")
        assert impatient.insert([NewRecord(kind="k")])[0].created


def test_a_waiting_writer_tries_again_and_again(
    path: Path, backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another connection has the lock, a write makes short attempts to take it."""
    monkeypatch.setattr(write_lock, "ATTEMPT", timedelta(milliseconds=1))
    attempts: list[str] = []

    def log_attempt(text: str) -> None:
        if "BEGIN" in text:
            attempts.append(text)

    backend._writer.read(sqlite3.Connection.set_trace_callback, log_attempt)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        inserted = pool.submit(backend.insert, [NewRecord(kind="k")])
        eventually(lambda: len(attempts) > 5)
        other.execute("ROLLBACK")
        assert inserted.result()[0].created


def test_a_commit_waits_for_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a write-ahead log, a commit waits until another connection has ended its read."""
    path = tmp_path / "delete.db"
    waits, be_patient = Event(), Connection._be_patient

    def wait_and_tell(self: Connection, connection: sqlite3.Connection) -> None:
        be_patient(self, connection)
        waits.set()

    with SqliteBackend.from_url(f"sqlite:///{path}?journal_mode=delete") as backend:
        backend.setup()
        with (
            closing(sqlite3.connect(path, isolation_level=None)) as other,
            ThreadPoolExecutor(1) as pool,
        ):
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM tallystick_jobs").fetchone()
            monkeypatch.setattr(Connection, "_be_patient", wait_and_tell)
            inserted = pool.submit(backend.insert, [NewRecord(kind="k")])
            assert waits.wait(PATIENCE)
            other.execute("ROLLBACK")
            assert inserted.result()[0].created
        assert backend.stats().total == 1


def test_inserts_that_meet_share_a_transaction(path: Path, backend: SqliteBackend) -> None:
    """Threads that insert while an insert waits for the lock store their jobs in one transaction, at one time."""
    backend._group_commit._patience = PATIENCE
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(4) as pool:
        other.execute("BEGIN IMMEDIATE")
        first = pool.submit(backend.insert, [NewRecord(kind="first")])
        while backend._group_commit._leader is None:
            pass
        meeting = [pool.submit(backend.insert, [NewRecord(kind=kind)]) for kind in "abc"]
        while len(backend._group_commit._waiting) < 3:
            pass
        other.execute("ROLLBACK")
        results = [result for each in [first, *meeting] for result in each.result()]
    assert [(result.record.kind, result.created) for result in results] == [(kind, True) for kind in ["first", *"abc"]]
    assert len({result.record.created_at for result in results[1:]}) == 1
    assert backend.stats().total == 4


def test_a_failed_write_leaves_nothing(path: Path, backend: SqliteBackend) -> None:
    """A write that fails halfway is rolled back, and the connection stays usable."""
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
    """A commit that fails, here by a deferred foreign key, is rolled back, and the connection stays usable."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE parent (id PRIMARY KEY)")
        other.execute("CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        other.execute(
            "CREATE TRIGGER orphan AFTER INSERT ON tallystick_jobs WHEN new.kind = 'bad' "
            "BEGIN INSERT INTO child VALUES (1); END"
        )
    backend._writer.read(sqlite3.Connection.execute, "PRAGMA foreign_keys = ON")
    with pytest.raises(Unavailable, match="FOREIGN KEY"):
        backend.insert([NewRecord(kind="bad")])
    assert backend.insert([NewRecord(kind="good")])[0].created
    assert backend.stats().total == 1


@pytest.mark.parametrize(("committing", "error"), [(True, OutcomeUnknown), (False, Unavailable)])
def test_a_disk_that_fails(url: str, committing: bool, error: type[Exception]) -> None:
    """After an I/O error during a commit, OutcomeUnknown is raised; before it, Unavailable."""
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    with pytest.raises(error), errors.mapped(Location.parse(url), committing=committing):
        raise failure


def test_wait_returns_at_once_for_a_due_job(backend: SqliteBackend) -> None:
    """`wait` returns at once for a due job, even with a timeout of zero."""
    backend.insert([NewRecord(kind="k")])
    assert backend.wait(["default"], timeout=timedelta(0))


def test_wait_ignores_jobs_that_cannot_be_claimed(backend: SqliteBackend) -> None:
    """`wait` ignores jobs that `claim` would not return: of other and paused queues, future or running."""
    backend.insert([NewRecord(kind="k", queue="other"), NewRecord(kind="k", run_at=LEASE), NewRecord(kind="k")])
    backend.claim(["default"], limit=1, worker="w", lease=LEASE)
    assert not backend.wait(["default"], timeout=timedelta(0))
    backend.pause("other")
    assert not backend.wait(["default", "other"], timeout=timedelta(milliseconds=30))
    backend.resume("other")
    assert backend.wait(["default", "other"], timeout=timedelta(0))


def test_wait_returns_when_a_future_job_becomes_due(backend: SqliteBackend) -> None:
    """`wait` returns at the next due time, without any change of the store."""
    [inserted] = backend.insert([NewRecord(kind="k", run_at=timedelta(milliseconds=50))])
    assert backend.wait(["default"], timeout=timedelta(hours=1))
    assert datetime.now(UTC) >= inserted.record.run_at


def test_close_wakes_every_wait(backend: SqliteBackend) -> None:
    """`close` ends every `wait` with False, long before its timeout."""
    results: list[bool] = []
    barrier = Barrier(4, timeout=PATIENCE)

    def wait() -> None:
        backend.wait(["default"], timeout=timedelta(0))
        barrier.wait()
        try:
            results.append(backend.wait(["default"], timeout=timedelta(hours=1)))
        except Closed:  # it began just after the close
            results.append(False)

    threads = [Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    barrier.wait()
    backend.close()
    for thread in threads:
        thread.join()
    assert results == [False] * 3


def test_closed(backend: SqliteBackend) -> None:
    """A closed backend rejects every call, and `close` can be repeated."""
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
