"""Implement the backend contract on the collections of a MongoDB database."""

import builtins
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from tallystick import (
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
    Record,
    State,
    Stats,
    Unsupported,
    forks,
    validation,
)
from tallystick.backends import batches

from . import (
    claiming,
    counting,
    deleting,
    doctor,
    documents,
    extending,
    inserting,
    known_queues,
    queries,
    rescuing,
    schema,
    settling,
    staging,
    waiting,
)
from .bulk import change, collect
from .collections import Collections
from .connection import Connection
from .documents import claiming_order, rounded_down, rounded_up
from .errors import mapped
from .join_transaction import join
from .listener import Listener
from .location import Location, namespaced
from .server_state import read_state, unpaused

_CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=True,
    time_precision=timedelta(milliseconds=1),
    max_payload_bytes=inserting.MAX_PAYLOAD_BYTES,
    max_batch=inserting.MAX_BATCH,
)

_MAX_QUEUES = 1_000
"""For a batch with more queues, skip the lookup and treat all queues as new."""

_AWAIT_MILLISECONDS = 500
"""How long the server waits for a change before it returns an empty result."""


class MongoBackend(Backend):
    """One client of the store in some collections: `mongodb://host/database?collection=tallystick`.

    A `transaction` is a PyMongo `ClientSession` in an open transaction: see `join_transaction`.
    """

    contract_version: ClassVar[int] = 1

    def __init__(self, location: Location) -> None:
        self._location = location
        self._connection = Connection(location, schema.check)
        self._listener = Listener()
        self._owner = forks.Owner()

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Location.parse(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return namespaced(url, namespace)

    @property
    def capabilities(self) -> Capabilities:
        self._owner.check()
        has_log = self._connection.deployment.has_transactions
        return replace(_CAPABILITIES, transactions=has_log, notify=has_log and self._location.options.notify)

    def transaction(self) -> AbstractContextManager[ClientSession]:
        self._connection.check_open()
        self._require_transactions()
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[ClientSession]:
        with (
            self._mapped(writing=True),
            self._connection.client.start_session() as session,
            session.start_transaction(),
        ):
            yield session

    def setup(self) -> None:
        self._forget()
        store = self._connection.any
        with self._mapped(writing=True):
            schema.setup(store, self._location)

    def teardown(self) -> None:
        self._forget()
        store = self._connection.any
        with self._mapped(writing=True):
            schema.teardown(store, self._location)

    def _forget(self) -> None:
        self._connection.check_open()
        self._connection.forget()

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        batches.records(records, _CAPABILITIES.max_batch)
        inserting.check(records, _given_or_local(now))
        store = self._store(transaction)
        if not records:
            return []
        queues = {record.queue for record in records}
        with self._mapped(writing=transaction is None):
            seen = read_state(
                self._connection.collections, self._location, queues if len(queues) <= _MAX_QUEUES else ()
            )
            moment = seen.now if now is None else rounded_down(validation.utc(now))
            put = inserting.insert if transaction is None else inserting.insert_in_transaction
            results = put(store, records, moment, new_queues=not queues <= seen.queues.keys())
        self._listener.wake()
        return results

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        names = validation.names(queues, "queues")
        validation.limit(limit)
        validation.name(worker, "worker")
        _until(lease, _given_or_local(now))
        store = self._store()
        with self._mapped(writing=True):
            seen = read_state(store, self._location, names)
            moment = seen.now if now is None else rounded_down(validation.utc(now))
            until = _until(lease, moment)
            due = claiming.claim(store, unpaused(names, seen), limit=limit, worker=worker, until=until, now=moment)
            return sorted(collect(due), key=claiming_order)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        batches.claims(claims, _CAPABILITIES.max_batch)
        _until(lease, _given_or_local(now))
        store = self._store()
        with self._mapped(writing=True):
            moment = self._moment(now)
            return extending.extend(store, claims, _until(lease, moment), moment)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        batches.outcomes(outcomes, _CAPABILITIES.max_batch)
        settling.check(outcomes, _given_or_local(now), _CAPABILITIES.max_payload_bytes)
        store = self._store(transaction)
        with self._mapped(writing=transaction is None):
            applied = settling.settle(store, outcomes, self._moment(now))
        self._listener.wake()
        return applied

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        validation.limit(limit)
        store = self._store()
        with self._mapped(writing=True):
            rescued = collect(rescuing.rescue(store, limit=limit, now=self._moment(now)))
        with suppress(PyMongoError):  # the rescue succeeded, and the next one sweeps again
            staging.sweep(store)
        self._listener.wake()
        return rescued

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        batches.ids(ids, _CAPABILITIES.max_batch)
        store = self._store()
        with self._mapped():
            found = store.jobs.find(queries.among(ids, {"state": queries.VISIBLE}))
            return {record.id: record for record in documents.records(found)}

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        validation.limit(limit)
        batches.filter(filter, _CAPABILITIES.max_batch)
        batches.after(after)
        store = self._store()
        fitting = queries.fitting(filter, {"state": queries.VISIBLE})
        with self._mapped():
            found = store.jobs.find(queries.among(filter.ids, fitting, below=after))
            return builtins.list(documents.records(found.sort(queries.NEWEST_FIRST).limit(limit)))

    def stats(self, *, now: datetime | None = None) -> Stats:
        now = None if now is None else validation.utc(now)
        store = self._store()
        with self._mapped():
            groups = builtins.list(store.jobs.aggregate(queries.counts(self._moment(now))))
            return counting.stats(groups, known_queues.known(store))

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        store = self._checked_store(filter, limit)
        with self._mapped(writing=True):
            update = queries.cancelled(self._moment(now))
            return collect(change(store, "cancel", filter, queries.CANCELLABLE, update, limit=limit))

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        store = self._checked_store(filter, limit)
        with self._mapped(writing=True):
            update = queries.requeued(self._moment(now))
            changed = collect(change(store, "requeue", filter, queries.CAN_BE_REQUEUED, update, limit=limit))
        self._listener.wake()
        return changed

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        store = self._checked_store(filter, limit)
        with self._mapped(writing=True):
            return collect(deleting.delete(store, filter, limit=limit))

    def _checked_store(self, filter: Filter, limit: int) -> Collections:
        validation.limit(limit)
        batches.filter(filter, _CAPABILITIES.max_batch)
        return self._store()

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        validation.final(states)
        validation.limit(limit)
        finished = queries.finished(states, rounded_up(validation.utc(before, "before"), "before"))
        store = self._store()
        with self._mapped(writing=True):
            return len(collect(deleting.purge(store, finished, limit=limit)))

    def pause(self, queue: str) -> None:
        validation.name(queue, "queue")
        store = self._store()
        with self._mapped(writing=True):
            known_queues.pause(store, queue)

    def resume(self, queue: str) -> None:
        validation.name(queue, "queue")
        store = self._store()
        with self._mapped(writing=True):
            known_queues.resume(store, queue)
        self._listener.wake()

    def queues(self) -> Sequence[Queue]:
        store = self._store()
        with self._mapped():
            return known_queues.known(store)

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        names = validation.names(queues, "queues")
        validation.duration(timeout, "timeout")
        store = self._store()
        if self.capabilities.notify:
            self._listener.start(lambda: _watched(store))
        return waiting.wait(names, timeout, self._seconds_until_due, self._listener)

    def _seconds_until_due(self, names: Sequence[str]) -> float | None:
        store = self._store()
        with self._mapped():
            seen = read_state(store, self._location, names)
            due = claiming.next_due(store, unpaused(names, seen))
        return None if due is None else (due - seen.now).total_seconds()

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        self._connection.check_open()
        with self._mapped():
            return builtins.list(doctor.diagnose(self._connection, self._location, concurrency))

    def close(self) -> None:
        if self._owner.is_this_process:
            self._listener.close()
            self._connection.close()

    def _store(self, transaction: object | None = None) -> Collections:
        """Return the store's collections, bound to the caller's transaction if there is one."""
        self._connection.check_open()
        if transaction is None:
            return self._connection.collections
        self._require_transactions()
        self._connection.collections  # noqa: B018  # raises NotSetUp
        return join(transaction, self._location)

    def _require_transactions(self) -> None:
        if not self.capabilities.transactions:
            raise Unsupported(
                f"{self._location.shown} is a {self._connection.deployment.kind}, which has no transactions (they are "
                "not declared); use a replica set (one member is enough)"
            )

    def _moment(self, now: datetime | None) -> datetime:
        """Return the given `now`, else the server's time."""
        if now is not None:
            return rounded_down(validation.utc(now))
        return read_state(self._connection.collections, self._location).now

    def _mapped(self, *, writing: bool = False) -> AbstractContextManager[None]:
        return mapped(self._location, writing=writing)


def _watched(store: Collections) -> Any:
    changes = queries.changes(store.jobs.name, store.queues.name)
    return store.database.watch(changes, max_await_time_ms=_AWAIT_MILLISECONDS)


def _given_or_local(now: datetime | None) -> datetime:
    """Return a moment for validating delays before the call to the server."""
    return rounded_down(datetime.now(UTC) if now is None else validation.utc(now))


def _until(lease: timedelta, now: datetime) -> datetime:
    return rounded_up(validation.moment(validation.positive(lease, "lease"), now, "lease"), "lease")
