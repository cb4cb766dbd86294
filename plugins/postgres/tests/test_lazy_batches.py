"""Large batches whose records are made while the server stores earlier ones."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from servers import PGBOUNCER, pgbouncer
from support import eventually
from tallystick import Context, InvalidPayload, Job, NewRecord, OutcomeUnknown, Runner
from tallystick.backends.lazy_records import LazyRecords
from tallystick_postgres import PostgresBackend, inserting

JOBS = 2 * inserting.PART + 100
"""The jobs of a batch of three parts."""


class Batch:
    """A lazy batch that notes which records were made, and may do something else before one is made."""

    def __init__(self, size: int = JOBS, before: dict[int, Callable[[], object]] | None = None) -> None:
        self.made: list[NewRecord] = []
        self._before = before or {}
        self.records = LazyRecords(range(size), self._make)

    def _make(self, number: int) -> NewRecord:
        self._before.get(number, lambda: None)()
        self.made.append(NewRecord(kind="k", payload=b"%d" % number))
        return self.made[-1]


class Interrupt(BaseException):
    """Ends a batch."""


def end() -> None:
    """End a batch."""
    raise Interrupt


def check(backend: PostgresBackend, batch: Batch, results: Any) -> None:
    """Check that each record was made once, and that the results are the stored records, in order."""
    assert [result.created for result in results] == [True] * len(batch.records)
    assert [result.record.payload for result in results] == [b"%d" % number for number in range(len(batch.records))]
    assert [result.record.id for result in results] == [record.id for record in batch.made]
    assert backend.get([record.id for record in batch.made]) == {each.record.id: each.record for each in results}


def test_one_transaction_stores_all_parts(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str
) -> None:
    """Each part is a statement, and all are one transaction."""
    batch = Batch()
    check(backend, batch, backend.insert(batch.records))
    assert connection.execute(f'SELECT n FROM "{schema}".counts ORDER BY n').fetchall() == [(100,), (250,), (250,)]
    transactions = f'SELECT count(DISTINCT xmin::text) FROM "{schema}".jobs'
    assert connection.execute(transactions).fetchone() == (1,)


def inserting_session(connection: psycopg.Connection, schema: str) -> int:
    """Wait until a session has begun to insert jobs, and return its process id."""
    locks = f"""SELECT pid FROM pg_locks WHERE relation = '"{schema}".jobs'::regclass AND mode = 'RowExclusiveLock'"""
    eventually(lambda: connection.execute(locks).fetchone() is not None)
    [[pid]] = connection.execute(locks)
    return int(pid)


def test_the_next_part_is_made_before_the_server_has_stored_the_first(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str
) -> None:
    """While the statement of the first part waits for a lock, the second part is made, which ends the lock."""

    def unlock() -> None:
        inserting_session(connection, schema)
        connection.execute("COMMIT")

    batch = Batch(before={inserting.PART: unlock})
    connection.execute("BEGIN")
    connection.execute(f'LOCK TABLE "{schema}".jobs IN SHARE MODE')
    check(backend, batch, backend.insert(batch.records))


@pytest.mark.parametrize("at", [0, inserting.PART, JOBS - 1])
def test_a_batch_that_ends_early(url: str, backend: PostgresBackend, at: int) -> None:
    """If a record cannot be made, nothing is stored, and the connection serves the next call."""
    with PostgresBackend.from_url(f"{url}&pool_size=1") as small:
        small.stats()
        [session] = small._connections._opened()._pool
        with pytest.raises(Interrupt):
            small.insert(Batch(before={at: end}).records)
        assert small.stats().total == 0
        check(small, batch := Batch(), small.insert(batch.records))
        assert [*small._connections._opened()._pool] == [session]


def test_a_repeated_batch(backend: PostgresBackend) -> None:
    """A batch that is inserted again is a duplicate, as a whole or in part."""
    batch = Batch()
    stored = backend.insert(batch.records)
    again = backend.insert(batch.records)
    assert [(result.created, result.record) for result in again] == [(False, result.record) for result in stored]
    half = [*batch.made[:300], *Batch().records]
    results = backend.insert(LazyRecords(half, lambda record: record))
    assert [result.created for result in results] == [False] * 300 + [True] * JOBS
    assert [result.record.id for result in results] == [record.id for record in half]


def test_large_payloads(backend: PostgresBackend, connection: psycopg.Connection, schema: str) -> None:
    """A part with too many bytes for a statement takes several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inserting, "STATEMENT_BYTES", 300)
        check(backend, batch := Batch(), backend.insert(batch.records))
    sizes = [n for [n] in connection.execute(f'SELECT n FROM "{schema}".counts')]
    assert max(sizes) <= 200
    assert sum(sizes) == JOBS


def test_a_lost_connection(backend: PostgresBackend, connection: psycopg.Connection, schema: str) -> None:
    """If the connection is lost before the commit, the batch is inserted again; no record is made twice."""

    def lose() -> None:
        connection.execute("SELECT pg_terminate_backend(%s, 60000)", [inserting_session(connection, schema)])

    batch = Batch(before={JOBS - 1: lose})
    check(backend, batch, backend.insert(batch.records))


def test_a_lost_commit(backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the connection is lost during the commit, the outcome is unknown, and the batch can be inserted again."""
    batch = Batch()
    backend.stats()
    commit = psycopg.Transaction._commit_gen

    def lose(self: psycopg.Transaction) -> Iterator[Any]:
        yield from commit(self)
        self.connection.close()
        raise psycopg.OperationalError("lost")

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Transaction, "_commit_gen", lose)
        with pytest.raises(OutcomeUnknown, match="may have committed"):
            backend.insert(batch.records)
    assert [result.created for result in backend.insert(batch.records)] == [False] * JOBS
    assert backend.stats().total == JOBS


def test_a_pooler(url: str, backend: PostgresBackend) -> None:
    """A batch is inserted through a pooler."""
    if PGBOUNCER is None and not os.environ.get("CI"):
        pytest.skip("pgbouncer is not installed")
    with pgbouncer(url) as pooled, PostgresBackend.from_url(pooled) as client:
        check(backend, batch := Batch(), client.insert(batch.records))


class Number(Job[None]):
    """Has a number."""

    kind = "test:number"
    n: int

    def work(self, ctx: Context) -> None:
        """Do nothing."""


def test_a_payload_that_does_not_validate(url: str, backend: PostgresBackend) -> None:
    """If the last payload of a batch is invalid, the runner stores no job."""
    jobs = [Number(n=n) for n in range(JOBS)]
    bad = Number.model_construct(n="bad")
    with Runner(url) as runner:
        runner.register(Number)
        with pytest.raises(InvalidPayload, match="test:number"):
            runner.enqueue_batch([*jobs, bad])
        assert backend.stats().total == 0
        handles = runner.enqueue_batch(jobs)
    assert [handle.record.payload for handle in handles] == [b'{"n":%d}' % n for n in range(JOBS)]
    assert backend.stats().total == JOBS
