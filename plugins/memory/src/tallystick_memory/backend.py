"""The memory backend: implements the contract in this process. Each call holds the store's lock."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heapreplace, nlargest
from itertools import islice
from operator import attrgetter
from threading import TIMEOUT_MAX
from time import monotonic
from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from tallystick import (
    CLAIMABLE,
    Backend,
    BackendUrl,
    Capabilities,
    Claim,
    Closed,
    Complete,
    ConfigurationError,
    Filter,
    Hold,
    Inserted,
    NewRecord,
    Outcome,
    Queue,
    QueueStats,
    Record,
    Release,
    Retry,
    State,
    Stats,
    Unsupported,
    forks,
    urls,
    validation,
)
from tallystick.backends import batches

from . import transitions
from .lane import Lane
from .store import Store

_CAPABILITIES = Capabilities(
    durable=False,
    multi_process=False,
    notify=True,
    transactions=False,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=16 * 1024 * 1024,
    max_batch=100_000,
)

_stores: defaultdict[str, Store] = defaultdict(Store)

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_stores.clear)  # the child would work every job a second time


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MemoryBackend(Backend):
    """A client of a store in this process's memory.

    `memory://` creates a separate store for each client. All clients in this process with the URL `memory://name`
    share one store, until `teardown`.
    """

    contract_version: ClassVar[int] = 1

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._store = _stores[name] if name else Store()
        self._store.clients += 1
        self._closed = False
        self._owner = forks.Owner()

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(_name(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return f"memory://{_name(url)}.{urls.namespace(namespace)}"

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def setup(self) -> None:
        with self._locked():
            pass  # there is nothing to create

    def teardown(self) -> None:
        with self._locked() as store:
            store.clear()

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        _reject(transaction)
        batches.records(records, _CAPABILITIES.max_batch)
        for record in records:
            validation.size(record.payload, _CAPABILITIES.max_payload_bytes, "payload")
        now = _now(now)
        stored = [record.stored(now) for record in records]
        with self._locked() as store:
            results = [self._insert(store, record) for record in stored]
            store.changed.notify_all()
        return results

    def _insert(self, store: Store, record: Record) -> Inserted:
        duplicate = store.records.get(record.id) or store.holder(record.unique_key)
        if duplicate is not None:
            return Inserted(duplicate, created=False)
        store.put(record)
        return Inserted(record, created=True)

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        queues = validation.names(queues, "queues")
        validation.limit(limit)
        validation.name(worker, "worker")
        now = _now(now)
        until = validation.moment(validation.positive(lease, "lease"), now, "lease")
        with self._locked() as store:
            records = []
            for id in islice(_due(store, queues, now), limit):
                record = transitions.claimed(store.records[id], worker, until, now)
                store.put(record)
                records.append(record)
        return records

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        batches.claims(claims, _CAPABILITIES.max_batch)
        now = _now(now)
        until = validation.moment(validation.positive(lease, "lease"), now, "lease")
        with self._locked() as store:
            return [self._extend(store, claim, until, now) for claim in claims]

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = _current(store, claim)
        if record is None:
            return Hold.LOST
        store.put(record._replace(lease_until=until, updated_at=now))
        return Hold.CANCEL_REQUESTED if record.cancel_requested else Hold.HELD

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        _reject(transaction)
        batches.outcomes(outcomes, _CAPABILITIES.max_batch)
        now = _now(now)
        for outcome in outcomes:
            if isinstance(outcome, Complete):
                validation.size(outcome.result, _CAPABILITIES.max_payload_bytes, "result")
            elif isinstance(outcome, Retry | Release):
                validation.moment(outcome.run_at, now)
        with self._locked() as store:
            results = [self._settle(store, outcome, now) for outcome in outcomes]
            store.changed.notify_all()
        return results

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = _current(store, outcome.claim)
        if record is None:
            return False
        store.put(transitions.settled(record, outcome, now))
        return True

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        validation.limit(limit)
        now = _now(now)
        with self._locked() as store:
            running = map(store.records.__getitem__, store.running)
            expired = [record for record in running if record.lease_until and record.lease_until <= now]
            rescued = [transitions.rescued(record, now) for record in expired[:limit]]
            for record in rescued:
                store.put(record)
            store.changed.notify_all()
        return rescued

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        batches.ids(ids, _CAPABILITIES.max_batch)
        with self._locked() as store:
            return {id: store.records[id] for id in ids if id in store.records}

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        validation.limit(limit)
        batches.after(after)
        with self._locked() as store:
            wanted = (record for record in _matching(store, filter) if after is None or record.id < after)
            return nlargest(limit, wanted, key=attrgetter("id.int"))

    def stats(self, *, now: datetime | None = None) -> Stats:
        now = _now(now)
        with self._locked() as store:
            records = store.records.values()
            totals = Counter(record.queue for record in records)
            due: defaultdict[str, list[datetime]] = defaultdict(list)
            for record in records:
                if record.state in CLAIMABLE and record.run_at <= now:
                    due[record.queue].append(record.run_at)
            return Stats(
                total=len(records),
                by_state=dict.fromkeys(State, 0) | Counter(record.state for record in records),
                by_kind=dict(Counter(record.kind for record in records)),
                by_queue={
                    name: QueueStats(totals[name], len(due[name]), min(due[name], default=None), name in store.paused)
                    for name in sorted(store.lanes)
                },
            )

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        validation.limit(limit)
        now = _now(now)
        with self._locked() as store:
            changes = (transitions.cancelled(record, now) for record in _matching(store, filter))
            return _put_some(store, changes, limit)

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        validation.limit(limit)
        now = _now(now)
        with self._locked() as store:
            free = (record for record in _matching(store, filter) if _may_hold_key(store, record))
            changed = _put_some(store, (transitions.requeued(record, now) for record in free), limit)
            store.changed.notify_all()
        return changed

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        validation.limit(limit)
        with self._locked() as store:
            idle = (record for record in _matching(store, filter) if record.state is not State.RUNNING)
            deleted = list(islice(idle, limit))
            for record in deleted:
                store.remove(record)
        return [record.id for record in deleted]

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        validation.final(states)
        validation.limit(limit)
        before = validation.utc(before, "before")
        purged = 0
        with self._locked() as store:
            for state in states:
                while purged < limit and (record := store.finished_before(state, before)) is not None:
                    store.remove(record)
                    purged += 1
        return purged

    def pause(self, queue: str) -> None:
        with self._locked() as store:
            store.lane(validation.name(queue, "queue"))
            store.paused.add(queue)

    def resume(self, queue: str) -> None:
        validation.name(queue, "queue")
        with self._locked() as store:
            store.paused.discard(queue)
            store.changed.notify_all()

    def queues(self) -> Sequence[Queue]:
        with self._locked() as store:
            return [Queue(name, name in store.paused) for name in sorted(store.lanes)]

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        queues = validation.names(queues, "queues")
        deadline = monotonic() + validation.duration(timeout, "timeout").total_seconds()
        with self._locked() as store:
            while not self._closed:
                now = datetime.now(UTC)
                if any(_due(store, queues, now)):
                    return True
                remaining = deadline - monotonic()
                if remaining <= 0:
                    return False
                store.changed.wait(min(remaining, _seconds_to_next_due(store, queues, now), TIMEOUT_MAX))
        return False

    def close(self) -> None:
        if not self._owner.is_this_process:
            return
        with self._store.changed:
            if not self._closed:
                self._closed = True
                self._store.clients -= 1
                self._store.changed.notify_all()
                if self._store.is_unused():
                    _stores.pop(self._name, None)

    @contextmanager
    def _locked(self) -> Iterator[Store]:
        self._owner.check()
        with self._store.changed:
            if self._closed:
                raise Closed("this backend was closed; open another with tallystick.open_backend(url)")
            yield self._store


def _name(url: str) -> str:
    parsed = BackendUrl.parse(url)
    parsed.options(_Options)
    if parsed.path:
        raise ConfigurationError(f"{urls.redact(url)!r} has a path; write memory:// or memory://name")
    return parsed.host


def _now(now: datetime | None) -> datetime:
    return datetime.now(UTC) if now is None else validation.utc(now)


def _reject(transaction: object | None) -> None:
    if transaction is not None:
        raise Unsupported("memory:// cannot join a transaction (transactions is not declared); do not pass transaction")


def _current(store: Store, claim: Claim) -> Record | None:
    record = store.records.get(claim.id)
    if record is None or record.state is not State.RUNNING or record.attempt != claim.attempt:
        return None
    return record


def _matching(store: Store, filter: Filter) -> list[Record]:
    batches.filter(filter, _CAPABILITIES.max_batch)
    if filter.ids is None:
        return [record for record in store.records.values() if filter.fits(record)]
    found = (store.records.get(id) for id in dict.fromkeys(filter.ids))
    rest = replace(filter, ids=None)
    return [record for record in found if record is not None and rest.fits(record)]


def _may_hold_key(store: Store, record: Record) -> bool:
    holder = store.holder(record.unique_key)
    return holder is None or holder.id == record.id


def _put_some(store: Store, changes: Iterator[Record | None], limit: int) -> list[UUID]:
    """Store up to `limit` changed records, each before the next is computed; skip None, which means no change."""
    changed: list[UUID] = []
    for record in islice((change for change in changes if change is not None), limit):
        store.put(record)
        changed.append(record.id)
    return changed


def _open_lanes(store: Store, queues: Sequence[str]) -> list[Lane]:
    return [store.lanes[name] for name in queues if name in store.lanes and name not in store.paused]


def _due(store: Store, queues: Sequence[str], now: datetime) -> Iterator[UUID]:
    """Yield the ids of due jobs in claiming order. The caller must claim a job before it takes the next id."""
    lanes = _open_lanes(store, queues)
    heads = [(place, index) for index, lane in enumerate(lanes) if (place := lane.first(now)) is not None]
    heapify(heads)
    while heads:
        place, index = heads[0]
        yield place[3]
        if (following := lanes[index].first(now)) is not None:
            heapreplace(heads, (following, index))
        else:
            heappop(heads)


def _seconds_to_next_due(store: Store, queues: Sequence[str], now: datetime) -> float:
    moments = [moment for lane in _open_lanes(store, queues) if (moment := lane.next_due()) is not None]
    return (min(moments) - now).total_seconds() if moments else float("inf")
