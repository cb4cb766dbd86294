"""The PostgreSQL backend: implements the contract in one schema of a database."""

import builtins
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from threading import Event
from typing import Any, ClassVar, LiteralString, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg import Cursor
from tallystick import (
    LEASE_EXPIRED,
    Backend,
    BackendError,
    Capabilities,
    Claim,
    Filter,
    Finding,
    Hold,
    Inserted,
    NewRecord,
    Outcome,
    Queue,
    Record,
    State,
    Stats,
    forks,
    validation,
)
from tallystick.backends import batches

from . import claiming, counting, doctor, inserting, rows, schema, settling
from .connections import Connections, connect
from .errors import closed, mapped
from .execute import on
from .join_transaction import join_transaction
from .listener import Listener
from .location import Location, namespaced
from .rows import Row
from .waiting import Waiting

_CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=True,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=inserting.MAX_PAYLOAD_BYTES,
    max_batch=inserting.MAX_BATCH,
)

_FOLD = 100_000
"""The most ledger rows that one rescue folds."""

T = TypeVar("T")

_Key = tuple[int, int]


class PostgresBackend(Backend):
    """A client of the store in one schema: `postgresql://user@host/database?schema=tallystick`.

    `transaction` may be an open transaction of psycopg or SQLAlchemy, sync or async: see `join_transaction`.
    """

    contract_version: ClassVar[int] = 1

    def __init__(self, location: Location) -> None:
        self._location = location
        self._queries = location.queries
        self._connections = Connections(location, schema.check)
        self._listener = Listener(location)
        self._waiting = Waiting(self._seconds_until_due, self._listener)
        self._closed = Event()
        self._owner = forks.Owner()

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Location.parse(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return namespaced(url, namespace)

    @property
    def capabilities(self) -> Capabilities:
        return replace(_CAPABILITIES, notify=self._location.options.notify)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Row]]:
        self._refuse_closed()
        with mapped(self._location), connect(self._location) as connection, connection.transaction():
            yield connection

    def setup(self) -> None:
        self._refuse_closed()
        schema.setup(self._location)

    def script(self) -> str:
        return schema.script(self._queries)

    def teardown(self) -> None:
        self._refuse_closed()
        schema.teardown(self._location)

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        now = inserting.check(records, now)
        self._refuse_closed()
        if transaction is not None:
            with mapped(self._location):
                return inserting.insert(join_transaction(transaction), self._queries, records, now)
        run = self._connections.write if len(records) == 1 else self._connections.transact
        results = run(lambda cursor: inserting.insert(on(cursor), self._queries, records, now))
        self._listener.wake({result.record.queue for result in results if result.created})
        return results

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        names = validation.names(queues, "queues")
        validation.limit(limit)
        validation.name(worker, "worker")
        now = _utc(now)
        validation.moment(validation.positive(lease, "lease"), _or_clock(now), "lease")
        parameters = {"queues": builtins.list(names), "limit": limit, "worker": worker, "lease": lease, "now": now}
        return claiming.claim(self._write, self._queries, parameters)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        batches.claims(claims, _CAPABILITIES.max_batch)
        now = _utc(now)
        validation.moment(validation.positive(lease, "lease"), _or_clock(now), "lease")
        keys = [_key(claim) for claim in claims]
        held = [claim for _, claim in _in_locking_order(dict(zip(keys, claims, strict=True)))]
        parameters = {
            "ids": [claim.id for claim in held],
            "attempts": [claim.attempt for claim in held],
            "lease": lease,
            "now": now,
        }
        found = self._write(self._queries.extend, parameters)
        flagged = {(id.int, attempt): cancel_requested for id, attempt, cancel_requested in found}
        return [_hold(flagged.get(key)) for key in keys]

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        batches.outcomes(outcomes, _CAPABILITIES.max_batch)
        now = _utc(now)
        settling.check(outcomes, _or_clock(now), _CAPABILITIES.max_payload_bytes)
        keys = [_key(outcome.claim) for outcome in outcomes]
        first = {key: n for n, key in reversed([*enumerate(keys)])}
        parameters = {**settling.columns([outcomes[n] for _, n in _in_locking_order(first)]), "now": now}
        self._refuse_closed()
        if transaction is None:
            found = self._write(self._queries.settle, parameters)
        else:
            with mapped(self._location):
                found = join_transaction(transaction)(self._queries.settle, parameters)
        applied = {(id.int, attempt) for id, attempt in found}
        return [key in applied and first[key] == n for n, key in enumerate(keys)]

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        parameters = {"limit": validation.limit(limit), "now": _utc(now), "error": LEASE_EXPIRED.to_json()}
        rescued = rows.records(self._write(self._queries.rescue, parameters))
        self._listener.wake({record.queue for record in rescued})
        with suppress(BackendError):  # the rescue is committed; the next rescue folds
            self._write(self._queries.fold, {"limit": _FOLD})
        return rescued

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        batches.ids(ids, _CAPABILITIES.max_batch)
        found = self._read(self._queries.get, {"ids": builtins.list(ids)})
        return {record.id: record for record in rows.records(found)}

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        batches.after(after)
        parameters = {**_filter(filter), "limit": validation.limit(limit), "after": after}
        return rows.records(self._read(self._queries.list, parameters))

    def stats(self, *, now: datetime | None = None) -> Stats:
        return counting.stats(self._read(self._queries.stats, {"now": _utc(now)}))

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._change(self._queries.cancel, filter, limit, now)

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._change(self._queries.requeue, filter, limit, now)

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return self._change(self._queries.delete, filter, limit, None)

    def _change(self, query: LiteralString, filter: Filter, limit: int, now: datetime | None) -> Sequence[UUID]:
        """Change matching records, up to `limit`; repeat the statement, since one execution may miss some of them.

        All statements run in one transaction. Otherwise another client could change a record back in between, and
        this call would change it twice.
        """
        validation.limit(limit)
        parameters = {**_filter(filter), "now": _utc(now)}

        def change(cursor: Cursor[Row]) -> Sequence[UUID]:
            changed: builtins.list[UUID] = []
            while len(changed) < limit:
                more = [id for [id] in on(cursor)(query, {**parameters, "limit": limit - len(changed)})]
                if not more:
                    break
                changed += more
            return changed

        return self._connections.transact(change)

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        validation.final(states)
        validation.limit(limit)
        parameters = {"states": builtins.list(states), "before": validation.utc(before, "before"), "limit": limit}
        [[removed]] = self._write(self._queries.purge, parameters)
        return int(removed)

    def pause(self, queue: str) -> None:
        validation.name(queue, "queue")
        self._write(self._queries.pause, {"queue": queue})

    def resume(self, queue: str) -> None:
        validation.name(queue, "queue")
        self._write(self._queries.resume, {"queue": queue})
        self._listener.wake([queue])

    def queues(self) -> Sequence[Queue]:
        return [Queue(name, paused) for name, paused in self._read(self._queries.queues, {})]

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        self._owner.check()
        return self._waiting.wait(validation.names(queues, "queues"), validation.duration(timeout, "timeout"))

    def _seconds_until_due(self, names: Sequence[str]) -> float | None:
        [[due, now]] = self._read(self._queries.next_due, {"queues": builtins.list(names)})
        return None if due is None else (due - now) / 1_000_000

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        self._refuse_closed()
        with mapped(self._location):
            return builtins.list(doctor.diagnose(self._location, concurrency))

    def close(self) -> None:
        if self._owner.is_this_process and not self._closed.is_set():
            self._closed.set()
            self._listener.close()
            self._connections.close()

    def _write(self, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return self._connections.write(lambda cursor: on(cursor)(query, parameters))

    def _read(self, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return self._connections.read(lambda cursor: on(cursor)(query, parameters))

    def _refuse_closed(self) -> None:
        self._owner.check()
        if self._closed.is_set():
            raise closed()


def _utc(now: datetime | None) -> datetime | None:
    return None if now is None else validation.utc(now)


def _or_clock(now: datetime | None) -> datetime:
    """Return `now`, or this machine's time: close enough to validate delays, which the server adds to its own clock."""
    return datetime.now(UTC) if now is None else now


def _filter(filter: Filter) -> dict[str, Any]:
    batches.filter(filter, _CAPABILITIES.max_batch)
    return {
        name: None if values is None else builtins.list(values)
        for name, values in (
            ("ids", filter.ids),
            ("states", filter.states),
            ("kinds", filter.kinds),
            ("queues", filter.queues),
            ("tags", filter.tags),
        )
    }


def _key(claim: Claim) -> _Key:
    """Return a claim as numbers, which hash and sort quickly."""
    return claim.id.int, claim.attempt


def _in_locking_order(items: Mapping[_Key, T]) -> builtins.list[tuple[_Key, T]]:
    """Sort items newest first: every statement locks rows in this order, so that no two deadlock."""
    return sorted(items.items(), key=itemgetter(0), reverse=True)


def _hold(cancel_requested: bool | None) -> Hold:
    if cancel_requested is None:
        return Hold.LOST
    return Hold.CANCEL_REQUESTED if cancel_requested else Hold.HELD
