"""The PostgreSQL backend: implements the contract in one schema of a database."""

import builtins
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, LiteralString, Self
from uuid import UUID

import psycopg
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
)
from tallystick.backends import calls
from tallystick.backends.lifetime import Lifetime
from tallystick.backends.waiting import WakeUps

from . import claiming, counting, doctor, extending, inserting, matching, rows, schema, settling
from .capabilities import CAPABILITIES
from .connections import Connections, connect
from .errors import mapped
from .execute import on
from .join_transaction import join_transaction
from .listener import Listener
from .location import Location, namespaced
from .rows import Row
from .waiting import Waiting

_FOLD = 100_000
"""The most ledger rows that one rescue folds."""


class PostgresBackend(Backend):
    """A client of the store in one schema: `postgresql://user@host/database?schema=tallystick`.

    `transaction` may be an open transaction of psycopg or SQLAlchemy, sync or async: see `join_transaction`.
    """

    contract_version: ClassVar[int] = 1

    def __init__(self, location: Location) -> None:
        self._location = location
        self._queries = location.queries
        self._lifetime = Lifetime()
        self._connections = Connections(location, self._lifetime, schema.check)
        self._wake_ups = WakeUps()
        self._listener = Listener(location, self._wake_ups)
        self._waiting = Waiting(self._seconds_until_due, self._wake_ups, self._listener)

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Location.parse(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return namespaced(url, namespace)

    @property
    def capabilities(self) -> Capabilities:
        return replace(CAPABILITIES, notify=self._location.options.notify)

    def setup(self) -> None:
        self._lifetime.check()
        schema.setup(self._location)

    def script(self) -> str:
        return schema.script(self._queries)

    def teardown(self) -> None:
        self._lifetime.check()
        schema.teardown(self._location)

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        call = calls.insert(records, CAPABILITIES, transaction=transaction, now=now)
        self._lifetime.check()
        if transaction is not None:
            with mapped(self._location):
                return inserting.insert(join_transaction(transaction), self._queries, call)
        run = self._connections.write if len(records) == 1 else self._connections.transact
        results = run(lambda cursor: inserting.insert(on(cursor), self._queries, call))
        self._wake_ups.wake({result.record.queue for result in results if result.created})
        return results

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Row]]:
        self._lifetime.check()
        with mapped(self._location), connect(self._location) as connection, connection.transaction():
            yield connection

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        call = calls.claim(queues, CAPABILITIES, limit=limit, worker=worker, lease=lease, now=now)
        return claiming.claim(self._write, self._queries, call)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        call = calls.extend(claims, CAPABILITIES, lease=lease, now=now)
        return extending.extend(self._write, self._queries, call)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        call = calls.settle(outcomes, CAPABILITIES, transaction=transaction, now=now)
        self._lifetime.check()
        if transaction is None:
            return settling.settle(self._write, self._queries, call)
        with mapped(self._location):
            return settling.settle(join_transaction(transaction), self._queries, call)

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        call = calls.rescue(CAPABILITIES, limit=limit, now=now)
        parameters = {"limit": call.limit, "now": call.given, "error": LEASE_EXPIRED.to_json()}
        rescued = rows.records(self._write(self._queries.rescue, parameters))
        self._wake_ups.wake({record.queue for record in rescued})
        with suppress(BackendError):  # the rescue is committed; the next rescue folds
            self._write(self._queries.fold, {"limit": _FOLD})
        return rescued

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        wanted = calls.get(ids, CAPABILITIES)
        found = self._read(self._queries.get, {"ids": builtins.list(wanted)})
        return {record.id: record for record in map(rows.record_with_errors, found)}

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        call = calls.list(filter, CAPABILITIES, limit=limit, after=after)
        parameters = {**matching.parameters(call.filter), "limit": call.limit, "after": call.after}
        return rows.records(self._read(self._queries.list, parameters))

    def stats(self, *, now: datetime | None = None) -> Stats:
        call = calls.stats(CAPABILITIES, now=now)
        return counting.stats(self._read(self._queries.stats, {"now": call.given}))

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._change(self._queries.cancel, calls.change(filter, CAPABILITIES, limit=limit, now=now))

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._change(self._queries.requeue, calls.change(filter, CAPABILITIES, limit=limit, now=now))

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return self._change(self._queries.delete, calls.change(filter, CAPABILITIES, limit=limit))

    def _change(self, query: LiteralString, call: calls.ChangeCall) -> Sequence[UUID]:
        return self._connections.transact(lambda cursor: matching.change(on(cursor), query, call))

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        call = calls.purge(states, CAPABILITIES, before=before, limit=limit)
        parameters = {"states": builtins.list(call.states), "before": call.before, "limit": call.limit}
        [[removed]] = self._write(self._queries.purge, parameters)
        return int(removed)

    def pause(self, queue: str) -> None:
        self._write(self._queries.pause, {"queue": calls.queue(queue)})

    def resume(self, queue: str) -> None:
        self._write(self._queries.resume, {"queue": calls.queue(queue)})
        self._wake_ups.wake([queue])

    def queues(self) -> Sequence[Queue]:
        return [Queue(name, paused) for name, paused in self._read(self._queries.queues, {})]

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        call = calls.wait(queues, timeout=timeout)
        self._lifetime.check()
        return self._waiting.wait(call)

    def _seconds_until_due(self, queues: Sequence[str]) -> float | None:
        [[due, now]] = self._read(self._queries.next_due, {"queues": builtins.list(queues)})
        return None if due is None else (due - now) / 1_000_000

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        self._lifetime.check()
        with mapped(self._location):
            return builtins.list(doctor.diagnose(self._location, concurrency))

    def close(self) -> None:
        if self._lifetime.end():
            self._wake_ups.close()
            self._listener.close()
            self._connections.close()

    def _write(self, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return self._connections.write(lambda cursor: on(cursor)(query, parameters))

    def _read(self, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return self._connections.read(lambda cursor: on(cursor)(query, parameters))
