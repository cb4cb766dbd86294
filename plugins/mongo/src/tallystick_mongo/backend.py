"""Implement the backend contract on the collections of a MongoDB database."""

import builtins
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Self
from uuid import UUID

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from tallystick import (
    Advance,
    Backend,
    Beat,
    Capabilities,
    Changes,
    Claim,
    Filter,
    Finding,
    Hold,
    Inserted,
    Meter,
    MeterDelta,
    NewRecord,
    NewSchedule,
    Order,
    Outcome,
    ProgressReport,
    Queue,
    Record,
    Schedule,
    State,
    Stats,
    WorkerInfo,
    validation,
)
from tallystick.backends import calls, register_calls, restore_calls
from tallystick.backends.lifetime import Lifetime
from tallystick.backends.waiting import WakeUps

from . import (
    advancing,
    bulk,
    claiming,
    counting,
    deleting,
    doctor,
    documents,
    extending,
    inserting,
    known_queues,
    meeting,
    meters,
    paging,
    queries,
    reporting,
    requeueing,
    rescuing,
    restoring,
    schema,
    settling,
    staging,
    updates,
    updating,
    workers,
)
from . import schedules as stored_schedules
from .collections import Collections
from .connection import Connection
from .errors import mapped
from .join_transaction import begin_transaction, join_transaction
from .listener import Listener, stream
from .location import Location, namespaced
from .server_state import read_state, unpaused

_CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=True,
    time_precision=timedelta(milliseconds=1),
    max_payload_bytes=6 * 1024 * 1024,  # a payload, a result, names and errors share a document of at most 16 MB
    max_batch=100_000,
    error_text=True,
)


class MongoBackend(Backend):
    """One client of the store in some collections: `mongodb://host/database?collection=tallystick`.

    A `transaction` is a PyMongo `ClientSession` in an open transaction: see `join_transaction`.
    """

    contract_version: ClassVar[int] = 2

    def __init__(self, location: Location) -> None:
        self._location = location
        self._lifetime = Lifetime()
        self._connection = Connection(location, schema.check, self._lifetime)
        self._wake_ups = WakeUps()
        self._listener = Listener(self._wake_ups)
        self._id = ObjectId()

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Location.parse(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return namespaced(url, namespace)

    @property
    def capabilities(self) -> Capabilities:
        has_log = self._connection.deployment.has_transactions
        return replace(_CAPABILITIES, transactions=has_log, notify=has_log and self._location.options.notify)

    def transaction(self) -> AbstractContextManager[ClientSession]:
        self._connection.require_transactions()
        return begin_transaction(self._connection.client, self._location)

    def setup(self) -> None:
        store = self._connection.unchecked()
        with mapped(self._location, writing=True):
            schema.setup(store, self._location)

    def teardown(self) -> None:
        store = self._connection.unchecked()
        with mapped(self._location, writing=True):
            schema.teardown(store, self._location)

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        call = calls.insert(records, _CAPABILITIES, now=now)
        with self._writing(transaction) as store:
            if not records:
                return []
            seen = read_state(self._connection.collections, self._location, inserting.queues_of(records))
            results = meeting.insert_and_meet(store, call.at(seen.now), known=seen.queues)
        self._wake_ups.wake_all()
        return results

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        call = calls.claim(queues, _CAPABILITIES, limit=limit, worker=worker, lease=lease, now=now)
        with self._writing() as store:
            seen = read_state(store, self._location, call.queues)
            return claiming.claim(store, call.at(seen.now), unpaused(call.queues, seen))

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        call = calls.extend(claims, _CAPABILITIES, lease=lease, now=now)
        with self._writing() as store:
            return extending.extend(store, call.at(self._now(call.given)))

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        call = calls.report_progress(reports, _CAPABILITIES, now=now)
        with self._writing() as store:
            return reporting.report(store, call.at(self._now(call.given)))

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        call = calls.settle(outcomes, _CAPABILITIES, now=now)
        with self._writing(transaction) as store:
            applied = settling.settle(store, call.at(self._now(call.given)))
        self._wake_ups.wake_all()
        return applied

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        call = calls.rescue(_CAPABILITIES, limit=limit, now=now)
        with self._writing() as store:
            rescued = rescuing.rescue(store, limit=limit, now=self._now(call.given))
            with suppress(PyMongoError):  # the rescue succeeded, and the next one sweeps again
                staging.sweep(store)
        self._wake_ups.wake_all()
        return rescued

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        wanted = calls.get(ids, _CAPABILITIES)
        with self._reading() as store:
            found = store.jobs.find(queries.among(wanted, {"state": queries.VISIBLE}))
            return {record.id: record for record in documents.records(found)}

    def list(
        self,
        filter: Filter,
        *,
        limit: int,
        order: Order = "id",
        after: UUID | tuple[datetime, UUID] | None = None,
    ) -> Sequence[Record]:
        call = calls.list(filter, _CAPABILITIES, limit=limit, order=order, after=after)
        with self._reading() as store:
            return paging.page(store, call)

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        call = calls.count(filter, _CAPABILITIES, at_most=at_most)
        with self._reading() as store:
            return paging.count(store, call)

    def stats(self, *, now: datetime | None = None) -> Stats:
        call = calls.stats(_CAPABILITIES, now=now)
        with self._reading() as store:
            groups = store.jobs.aggregate(queries.counts(self._now(call.given)))
            return counting.stats(groups, known_queues.known(store))

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit, now=now)
        with self._writing() as store:
            return bulk.change(store, "cancel", call, queries.CANCELLABLE, updates.cancelled(self._now(call.given)))

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit, now=now)
        with self._writing() as store:
            changed = requeueing.requeue(store, call, self._now(call.given))
        self._wake_ups.wake_all()
        return changed

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit)
        with self._writing() as store:
            return deleting.delete(store, call)

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.update(filter, changes, _CAPABILITIES, limit=limit, now=now)
        with self._writing() as store:
            changed = updating.update(store, call, self._now(call.given))
        self._wake_ups.wake_all()
        return changed

    def purge(
        self,
        states: Sequence[State],
        *,
        before: datetime,
        limit: int,
        since: datetime | None = None,
        kinds: Collection[str] | None = None,
        except_kinds: Collection[str] = (),
    ) -> int:
        call = calls.purge(
            states, _CAPABILITIES, before=before, limit=limit, since=since, kinds=kinds, except_kinds=except_kinds
        )
        finished = queries.finished(call.states, call.before, call.since, call.kinds, call.except_kinds)
        with self._writing() as store:
            return deleting.purge(store, finished, limit=call.limit)

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        call = restore_calls.restore(records, _CAPABILITIES, now=now)
        with self._writing() as store:
            if not records:
                return []
            seen = read_state(store, self._location, inserting.queues_of(call.records))
            stored = restoring.restore(store, call.at(seen.now), known=seen.queues)
        self._wake_ups.wake_all()
        return stored

    def pause(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._writing() as store:
            read_state(store, self._location)  # raises NotSetUp
            known_queues.pause(store, name)

    def resume(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._writing() as store:
            read_state(store, self._location)  # raises NotSetUp
            known_queues.resume(store, name)
        self._wake_ups.wake_all()

    def queues(self) -> Sequence[Queue]:
        with self._reading() as store:
            return known_queues.known(store)

    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        call = register_calls.put_schedules(schedules, _CAPABILITIES, now=now)
        with self._writing() as store:
            clock = self._clock(call.given)
            return stored_schedules.put(store, call.schedules, clock)

    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        chosen = None if names is None else register_calls.names(names, _CAPABILITIES)
        with self._reading() as store:
            return stored_schedules.named(store, chosen)

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        limit = validation.limit(limit)
        with self._reading() as store:
            return stored_schedules.due(store, limit=limit)

    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        call = register_calls.advance(advances, _CAPABILITIES, now=now)
        with self._writing() as store:
            applied = advancing.advance(store, call.at(self._clock(call.given)))
        self._wake_ups.wake_all()
        return applied

    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        chosen = register_calls.names(names, _CAPABILITIES)
        with self._writing() as store:
            return stored_schedules.remove(store, chosen)

    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        call = register_calls.beat(beat, _CAPABILITIES, ttl=ttl, now=now)
        with self._writing() as store:
            workers.beat(store, call, self._clock(call.given))

    def workers(self) -> Sequence[WorkerInfo]:
        with self._reading() as store:
            return workers.listed(store)

    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        call = register_calls.meter(deltas, _CAPABILITIES, now=now)
        with self._writing() as store:
            meters.add(store, call, self._clock(call.given), self._id)

    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        call = register_calls.meters(since, until, step=step)
        with self._reading() as store:
            return meters.by_steps(store, call)

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        call = calls.wait(queues, timeout=timeout)
        store = self._connection.collections
        if self.capabilities.notify:
            self._listener.start(stream(store))
        return self._wake_ups.wait(call.queues, self._seconds_until_due, call.timeout)

    def _seconds_until_due(self, queues: Sequence[str]) -> float | None:
        with self._reading() as store:
            seen = read_state(store, self._location, queues)
            due = claiming.next_due(store, unpaused(queues, seen))
        return None if due is None else (due - seen.now).total_seconds()

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        self._lifetime.check()
        with mapped(self._location):
            return builtins.list(doctor.diagnose(self._connection, self._location, concurrency))

    def close(self) -> None:
        if self._lifetime.end():
            self._listener.close()
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[Collections]:
        store = self._connection.collections
        with mapped(self._location):
            yield store

    @contextmanager
    def _writing(self, transaction: object | None = None) -> Iterator[Collections]:
        """Yield the store's collections, bound to the caller's transaction if there is one."""
        store = self._connection.collections
        if transaction is not None:
            self._connection.require_transactions()
            store = join_transaction(transaction, self._location)
        with mapped(self._location, writing=transaction is None):
            yield store

    def _clock(self, given: datetime | None) -> datetime:
        """Return the caller's `now`, else the server's time. Raise `NotSetUp` if another client tore the store down."""
        clock = read_state(self._connection.collections, self._location).now
        return clock if given is None else given

    def _now(self, given: datetime | None) -> datetime:
        """Return the caller's `now`, else the server's time."""
        return read_state(self._connection.collections, self._location).now if given is None else given
