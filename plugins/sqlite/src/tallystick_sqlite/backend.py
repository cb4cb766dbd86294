"""The SQLite backend: implements the contract in one file."""

import builtins
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Event
from time import monotonic
from typing import Any, ClassVar, Self
from uuid import UUID

from tallystick import (
    CLAIMABLE,
    FINAL,
    LEASE_EXPIRED,
    Backend,
    Capabilities,
    Claim,
    Filter,
    Finding,
    Hold,
    Inserted,
    NewRecord,
    Outcome,
    Queue,
    QueueStats,
    Record,
    State,
    Stats,
    forks,
    validation,
)
from tallystick.backends import batches

from . import claiming, doctor, forking, inserting, queries, rows, schema, settling
from .connection import Connection
from .damaged import reads_any_text
from .errors import closed, mapped
from .join_transaction import join_transaction
from .location import Location, namespaced
from .matching import get, matching
from .rows import micros

_CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=True,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=16 * 1024 * 1024,
    max_batch=100_000,
)

_POLL_SECONDS = 0.010


class SqliteBackend(Backend):
    """A client of the store in one file: `sqlite:///relative.db` or `sqlite:////absolute.db`.

    `transaction` must be a `sqlite3.Connection` to the same file, with a transaction begun.
    """

    contract_version: ClassVar[int] = 1

    def __init__(self, location: Location) -> None:
        self._location = location
        self._closed = Event()
        self._owner = forks.Owner()
        self._writer = Connection(location)
        self._reader = Connection(location)
        self._watcher = Connection(location)  # never writes, so its data_version changes with every commit
        self._connections = (self._watcher, self._reader, self._writer)

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Location.parse(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return namespaced(url, namespace)

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self._refuse_closed()
        with self._in_use(), mapped(self._location.path), closing(schema.open_store(self._location)) as connection:
            connection.execute(queries.BEGIN_WRITE)
            yield connection
            connection.commit()

    def setup(self) -> None:
        self._refuse_closed()
        with self._in_use():
            schema.setup(self._location)

    def script(self) -> str:
        return schema.script()

    def teardown(self) -> None:
        self._refuse_closed()
        for connection in self._connections:
            connection.let_go()
        with self._in_use():
            schema.teardown(self._location)

    @reads_any_text
    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        batches.records(records, _CAPABILITIES.max_batch)
        for record in records:
            validation.size(record.payload, _CAPABILITIES.max_payload_bytes, "payload")
        now = _now(now)
        stored = [record.stored(now) for record in records]
        with self._target(transaction) as target:
            return inserting.insert(target, stored)

    @reads_any_text
    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        names = rows.json_list(validation.names(queues, "queues"))
        validation.limit(limit)
        validation.name(worker, "worker")
        now = _now(now)
        until = validation.moment(validation.positive(lease, "lease"), now, "lease")
        parameters = {"queues": names, "limit": limit, "worker": worker, "until": micros(until), "now": micros(now)}
        claimed = rows.records(claiming.claim(self._reader, self._writer, parameters))
        return sorted(claimed, key=_claiming_order)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        batches.claims(claims, _CAPABILITIES.max_batch)
        now = _now(now)
        until = validation.moment(validation.positive(lease, "lease"), now, "lease")
        times = {"until": micros(until), "now": micros(now)}
        with self._writer.writing() as connection:
            return [_extend(connection, claim, times) for claim in claims]

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        batches.outcomes(outcomes, _CAPABILITIES.max_batch)
        now = _now(now)
        ended = [settling.parameters(outcome, now, _CAPABILITIES.max_payload_bytes) for outcome in outcomes]
        with self._target(transaction) as target:
            return [_changed(target, queries.SETTLE, parameters) for parameters in ended]

    @reads_any_text
    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        parameters = {"limit": validation.limit(limit), "now": micros(_now(now)), "error": LEASE_EXPIRED.to_json()}
        with self._writer.writing() as connection:
            rescued = connection.execute(queries.RESCUE, parameters).fetchall()
        return [rows.record(row) for row in rescued]

    @reads_any_text
    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        batches.ids(ids, _CAPABILITIES.max_batch)
        with self._reader.reading() as connection:
            return {id: record for id in ids if (record := get(connection, id.bytes)) is not None}

    @reads_any_text
    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        validation.limit(limit)
        batches.filter(filter, _CAPABILITIES.max_batch)
        batches.after(after)
        with self._reader.snapshot() as connection:
            ids = builtins.list(islice(matching(connection, filter, states=set(State), after=after), limit))
            return [record for id in ids if (record := get(connection, id)) is not None]

    @reads_any_text
    def stats(self, *, now: datetime | None = None) -> Stats:
        parameters = {"now": micros(_now(now))}
        with self._reader.snapshot() as connection:
            groups = connection.execute(queries.STATS, parameters).fetchall()
            queues = _queues(connection)
        return _stats(groups, queues)

    @reads_any_text
    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        moment = micros(_now(now))

        def cancel(cursor: sqlite3.Cursor, id: bytes) -> bool:
            return _changed(cursor, queries.CANCEL, {"id": id, "now": moment})

        return self._change(filter, CLAIMABLE | {State.RUNNING}, cancel, limit)

    @reads_any_text
    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        moment = micros(_now(now))

        def requeue(cursor: sqlite3.Cursor, id: bytes) -> bool:
            return _changed(cursor, queries.REQUEUE, {"id": id, "now": moment})

        return self._change(filter, FINAL | {State.RETRYING}, requeue, limit)

    @reads_any_text
    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        def delete(cursor: sqlite3.Cursor, id: bytes) -> bool:
            return _changed(cursor, queries.DELETE, {"id": id})

        return self._change(filter, set(State) - {State.RUNNING}, delete, limit)

    def _change(
        self, filter: Filter, states: Set[State], change: Callable[[sqlite3.Cursor, bytes], bool], limit: int
    ) -> Sequence[UUID]:
        validation.limit(limit)
        batches.filter(filter, _CAPABILITIES.max_batch)
        with self._writer.writing() as connection:
            cursor = connection.cursor()
            with closing(matching(connection, filter, states=states)) as found:
                return [UUID(bytes=id) for id in islice((id for id in found if change(cursor, id)), limit)]

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        validation.final(states)
        validation.limit(limit)
        parameters = {
            "states": rows.json_list(states),
            "before": micros(validation.utc(before, "before")),
            "limit": limit,
        }
        with self._writer.writing() as connection:
            return connection.execute(queries.PURGE, parameters).rowcount

    def pause(self, queue: str) -> None:
        validation.name(queue, "queue")
        with self._writer.writing() as connection:
            connection.execute(queries.PAUSE, {"queue": queue})

    def resume(self, queue: str) -> None:
        validation.name(queue, "queue")
        with self._writer.writing() as connection:
            connection.execute(queries.RESUME, {"queue": queue})

    @reads_any_text
    def queues(self) -> Sequence[Queue]:
        with self._reader.reading() as connection:
            return _queues(connection)

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        names = rows.json_list(validation.names(queues, "queues"))
        deadline = monotonic() + validation.duration(timeout, "timeout").total_seconds()
        seen, due = None, None
        while True:
            with self._watcher.reading() as connection:
                [version] = connection.execute(queries.DATA_VERSION).fetchone()
                if (connection, version) != seen:  # versions of two connections do not compare, and a fork reconnects
                    seen, due = (connection, version), claiming.next_due(connection, names)
            if due is not None and due <= micros(datetime.now(UTC)):
                return True
            remaining = deadline - monotonic()
            if remaining <= 0 or self._closed.wait(min(remaining, _POLL_SECONDS)):
                return False

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        self._refuse_closed()
        with self._in_use(), mapped(self._location.path):
            return builtins.list(doctor.diagnose(self._location))

    def close(self) -> None:
        if not self._owner.is_this_process:
            return
        self._closed.set()
        for connection in self._connections:
            connection.close()

    @contextmanager
    def _target(self, transaction: object | None) -> Iterator[sqlite3.Cursor]:
        """Yield a cursor in the caller's transaction, or in a new one; roll back all of its changes after an error."""
        self._refuse_closed()
        if transaction is not None:
            with join_transaction(transaction, self._location) as cursor:
                yield cursor
        else:
            with self._writer.writing() as connection:
                yield connection.cursor()

    def _in_use(self) -> AbstractContextManager[None]:
        return forking.in_use(self._location.path)

    def _refuse_closed(self) -> None:
        self._owner.check()
        if self._closed.is_set():
            raise closed()


def _now(now: datetime | None) -> datetime:
    return datetime.now(UTC) if now is None else validation.utc(now)


def _claiming_order(record: Record) -> tuple[int, datetime, int]:
    return (-record.priority, record.run_at, record.id.int)


def _extend(connection: sqlite3.Connection, claim: Claim, times: rows.Parameters) -> Hold:
    parameters = {"id": claim.id.bytes, "attempt": claim.attempt, **times}
    match connection.execute(queries.EXTEND, parameters).fetchall():
        case []:
            return Hold.LOST
        case [[cancel_requested]]:
            return Hold.CANCEL_REQUESTED if cancel_requested else Hold.HELD
    raise AssertionError("an id is a primary key")


def _changed(cursor: sqlite3.Cursor, query: str, parameters: rows.Parameters) -> bool:
    return cursor.execute(query, parameters).rowcount == 1


def _queues(connection: sqlite3.Connection) -> list[Queue]:
    return [Queue(name, bool(paused)) for name, paused in connection.execute(queries.QUEUES)]


def _stats(groups: list[tuple[Any, ...]], queues: list[Queue]) -> Stats:
    states: Counter[State] = Counter(dict.fromkeys(State, 0))
    kinds: Counter[str] = Counter()
    by_queue = {queue.name: QueueStats(0, 0, None, queue.paused) for queue in queues}
    for queue, kind, state, total, due, oldest in groups:
        states[State(state)] += total
        kinds[kind] += total
        known = by_queue.get(queue, QueueStats(0, 0, None, False))
        firsts = [known.oldest_due] if known.oldest_due else []
        firsts += [rows.moment(oldest)] if oldest is not None else []
        by_queue[queue] = known._replace(
            total=known.total + total, due=known.due + due, oldest_due=min(firsts, default=None)
        )
    return Stats(sum(states.values()), dict(states), dict(kinds), by_queue)
