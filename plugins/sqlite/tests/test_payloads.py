"""Large payloads, which have a table of their own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tallystick import Complete, Filter, NewRecord, State
from tallystick_sqlite import SqliteBackend
from tallystick_sqlite.rows import LARGEST_PAYLOAD

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SMALL, LARGE, OTHER = (bytes([n]) * (LARGEST_PAYLOAD + n) for n in (0, 1, 2))


@pytest.fixture
def file(path: Path, backend: SqliteBackend) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        yield connection


def contents(file: sqlite3.Connection) -> list[bytes]:
    return [content for (content,) in file.execute("SELECT content FROM tallystick_payloads ORDER BY job")]


def new(payload: bytes, unique_key: str | None = None) -> NewRecord:
    return NewRecord(kind="k", payload=payload, unique_key=unique_key, on_conflict="replace" if unique_key else "skip")


def test_only_a_large_payload_is_outside_of_its_row(backend: SqliteBackend, file: sqlite3.Connection) -> None:
    """A payload above the limit is in the table of payloads, and one at the limit in the row of its job."""
    backend.insert([new(SMALL), new(LARGE), new(b"")], now=NOW)
    rows = [payload for (payload,) in file.execute("SELECT payload FROM tallystick_jobs ORDER BY number")]
    assert rows == [SMALL, None, b""]
    assert contents(file) == [LARGE]


def test_each_call_returns_the_whole_payload(backend: SqliteBackend) -> None:
    """Calls that return a record return its large payload: list, claim, rescue, get and a second insert."""
    job = new(LARGE)
    backend.insert([job], now=NOW)
    [listed] = backend.list(Filter(), limit=1)
    [claimed] = backend.claim(["default"], limit=1, worker="w", lease=MINUTE, now=NOW)
    [rescued] = backend.rescue(limit=1, now=NOW + MINUTE)
    [again] = backend.insert([job], now=NOW)
    found = [listed, claimed, rescued, backend.get([job.id])[job.id], again.record]
    assert [record.payload for record in found] == [LARGE] * 5
    assert not again.created


def test_claim_and_settle_do_not_write_a_large_payload(backend: SqliteBackend, path: Path) -> None:
    """A claim and a settle write about as much to the log for jobs with large payloads as for jobs without."""

    def written(payload: bytes) -> int:
        backend.insert([new(payload) for _ in range(100)], now=NOW)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        claimed = backend.claim(["default"], limit=100, worker="w", lease=MINUTE, now=NOW)
        backend.settle([Complete(record.claim) for record in claimed], now=NOW)
        return path.with_name(f"{path.name}-wal").stat().st_size

    plain = written(b"")
    assert written(LARGE * 10) < 2 * plain


@pytest.mark.parametrize(("before", "after"), [(SMALL, LARGE), (LARGE, SMALL), (LARGE, OTHER)])
def test_a_replaced_payload_leaves_nothing(
    backend: SqliteBackend, file: sqlite3.Connection, before: bytes, after: bytes
) -> None:
    """A new job that replaces the payload of the holder of its key also removes the old large payload."""
    [held] = backend.insert([new(before, "key")], now=NOW)
    backend.insert([new(after, "key")], now=NOW)
    assert backend.get([held.record.id])[held.record.id].payload == after
    assert contents(file) == [after] * (len(after) > LARGEST_PAYLOAD)


def test_delete_and_purge_remove_large_payloads(backend: SqliteBackend, file: sqlite3.Connection) -> None:
    """A deleted or purged job leaves no payload, and the payloads of other jobs stay."""
    backend.insert([new(LARGE), new(LARGE), new(OTHER)], now=NOW)
    [claimed] = backend.claim(["default"], limit=1, worker="w", lease=MINUTE, now=NOW)
    backend.settle([Complete(claimed.claim)], now=NOW)
    assert backend.purge([State.COMPLETED], before=NOW + MINUTE, limit=9) == 1
    assert contents(file) == [LARGE, OTHER]
    [kept, deleted] = sorted(backend.list(Filter(states=[State.PENDING]), limit=9), key=lambda job: job.payload)[::-1]
    backend.delete(Filter(ids=[deleted.id]), limit=1)
    assert contents(file) == [kept.payload] == [OTHER]


def test_restored_jobs_have_their_large_payloads(backend: SqliteBackend, tmp_path: Path) -> None:
    """A record with a large payload moves to another store unchanged."""
    backend.insert([new(LARGE), new(SMALL)], now=NOW)
    records = backend.list(Filter(), limit=9)
    with SqliteBackend.from_url(f"sqlite:///{tmp_path / 'other.db'}") as other:
        other.setup()
        assert other.restore(records, now=NOW) == [True, True]
        assert other.list(Filter(), limit=9) == records


def test_a_rolled_back_insert_leaves_no_payload(backend: SqliteBackend, file: sqlite3.Connection) -> None:
    """A large payload is inserted and rolled back with its job, in the caller's transaction."""
    file.execute("BEGIN IMMEDIATE")
    backend.insert([new(LARGE)], transaction=file, now=NOW)
    assert contents(file) == [LARGE]
    file.execute("ROLLBACK")
    assert contents(file) == []


def test_payloads_follow_their_jobs_through_vacuum(backend: SqliteBackend, file: sqlite3.Connection) -> None:
    """VACUUM, after deletions, changes no payload."""
    jobs = [new(bytes([n]) * (LARGEST_PAYLOAD + 1)) for n in range(9)]
    backend.insert(jobs, now=NOW)
    backend.delete(Filter(ids=[job.id for job in jobs[::2]]), limit=9)
    file.execute("VACUUM")
    left = jobs[1::2]
    found = backend.get([job.id for job in left])
    assert [found[job.id].payload for job in left] == [job.payload for job in left]


def test_a_lost_payload_is_empty(backend: SqliteBackend, file: sqlite3.Connection) -> None:
    """A job whose large payload was removed by hand has an empty payload, and can be claimed."""
    backend.insert([new(LARGE), new(OTHER)], now=NOW)
    file.execute("DELETE FROM tallystick_payloads WHERE job = 1")
    claimed = backend.claim(["default"], limit=2, worker="w", lease=MINUTE, now=NOW)
    assert sorted(record.payload for record in claimed) == [b"", OTHER]
