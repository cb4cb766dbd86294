"""Implement the backend contract on one append-only file. Each call is one step: lock, read, decide, write, unlock."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter
from pathlib import Path
from threading import Event
from time import monotonic
from typing import ClassVar, Self
from urllib.parse import quote
from uuid import UUID

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
from .log import Log
from .store import Store

_CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=False,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=1024 * 1024,
    max_batch=10_000,
)

_POLL_SECONDS = 0.02


class DbmBackend(Backend):
    """One client of the store in a file: `dbm:///relative.dbm`, `dbm:////absolute.dbm`."""

    contract_version: ClassVar[int] = 1

    def __init__(self, path: Path) -> None:
        self._log = Log(path)
        self._closed = Event()
        self._owner = forks.Owner()

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(_path(url).absolute())

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return f"dbm:///{quote(str(_path(url)))}.{urls.namespace(namespace)}"

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def setup(self) -> None:
        self._check_open()
        self._log.setup()

    def teardown(self) -> None:
        self._check_open()
        self._log.teardown()

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        _reject_transaction(transaction)
        batches.records(records, _CAPABILITIES.max_batch)
        for record in records:
            validation.size(record.payload, _CAPABILITIES.max_payload_bytes, "payload")
        now = _now(now)
        stored = [record.stored(now) for record in records]
        with self._step() as store:
            return [_insert(store, record) for record in stored]

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        queues = validation.names(queues, "queues")
        validation.limit(limit)
        validation.name(worker, "worker")
        now = _now(now)
        until = validation.moment(validation.positive(lease, "lease"), now, "lease")
        with self._step() as store:
            due = [store.records[id] for id in islice(store.due(queues, now), limit)]
            return [store.put(transitions.claimed(record, worker, until, now)) for record in due]

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        batches.claims(claims, _CAPABILITIES.max_batch)
        now = _now(now)
        until = validation.moment(validation.positive(lease, "lease"), now, "lease")
        with self._step() as store:
            return [_extend(store, claim, until, now) for claim in claims]

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        _reject_transaction(transaction)
        batches.outcomes(outcomes, _CAPABILITIES.max_batch)
        now = _now(now)
        for outcome in outcomes:
            if isinstance(outcome, Complete):
                validation.size(outcome.result, _CAPABILITIES.max_payload_bytes, "result")
            elif isinstance(outcome, Retry | Release):
                validation.moment(outcome.run_at, now)
        with self._step() as store:
            return [_settle(store, outcome, now) for outcome in outcomes]

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        validation.limit(limit)
        now = _now(now)
        with self._step() as store:
            running = (store.records[id] for id in store.running)
            expired = (record for record in running if record.lease_until and record.lease_until <= now)
            return [store.put(transitions.rescued(record, now)) for record in list(islice(expired, limit))]

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        batches.ids(ids, _CAPABILITIES.max_batch)
        with self._step() as store:
            return {id: store.records[id] for id in ids if id in store.records}

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        batches.after(after)
        validation.limit(limit)
        with self._step() as store:
            wanted = [record for record in _matching(store, filter) if after is None or record.id < after]
        return sorted(wanted, key=attrgetter("id"), reverse=True)[:limit]

    def stats(self, *, now: datetime | None = None) -> Stats:
        now = _now(now)
        with self._step() as store:
            records = store.records.values()
            totals = Counter(record.queue for record in records)
            due: defaultdict[str, list[datetime]] = defaultdict(list)
            for record in records:
                if record.state in CLAIMABLE and record.run_at <= now:
                    due[record.queue].append(record.run_at)
            return Stats(
                total=len(records),
                by_state=dict.fromkeys(State, 0) | Counter(record.state for record in records),
                by_kind=Counter(record.kind for record in records),
                by_queue={
                    name: QueueStats(totals[name], len(due[name]), min(due[name], default=None), paused)
                    for name, paused in sorted(store.queues.items())
                },
            )

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        moment = _now(now)
        return self._change(filter, limit, lambda _, record: transitions.cancelled(record, moment))

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        moment = _now(now)

        def requeue(store: Store, record: Record) -> Record | None:
            holder = store.holder(record)
            return transitions.requeued(record, moment) if holder in (None, record) else None

        return self._change(filter, limit, requeue)

    def _change(self, filter: Filter, limit: int, change: Callable[[Store, Record], Record | None]) -> Sequence[UUID]:
        validation.limit(limit)
        with self._step() as store:
            # lazily: each is decided after the one before was stored
            after = (change(store, record) for record in _matching(store, filter))
            return [store.put(record).id for record in islice((r for r in after if r is not None), limit)]

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        validation.limit(limit)
        with self._step() as store:
            idle = (record.id for record in _matching(store, filter) if record.state is not State.RUNNING)
            return _remove(store, islice(idle, limit))

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        validation.final(states)
        validation.limit(limit)
        before = validation.utc(before, "before")
        with self._step() as store:
            finished = (record for record in store.records.values() if record.state in states)
            old = (record.id for record in finished if record.finished_at and record.finished_at < before)
            return len(_remove(store, islice(old, limit)))

    def pause(self, queue: str) -> None:
        validation.name(queue, "queue")
        with self._step() as store:
            store.set_queue(queue, paused=True)

    def resume(self, queue: str) -> None:
        validation.name(queue, "queue")
        with self._step() as store:
            if queue in store.queues:
                store.set_queue(queue, paused=False)

    def queues(self) -> Sequence[Queue]:
        with self._step() as store:
            return [Queue(name, paused) for name, paused in sorted(store.queues.items())]

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        queues = validation.names(queues, "queues")
        deadline = monotonic() + timeout.total_seconds()
        while True:
            with self._step() as store:
                if any(store.due(queues, datetime.now(UTC))):
                    return True
            remaining = deadline - monotonic()
            if remaining <= 0 or self._closed.wait(min(remaining, _POLL_SECONDS)):
                return False

    def close(self) -> None:
        if self._owner.is_this_process:
            self._closed.set()

    @contextmanager
    def _step(self) -> Iterator[Store]:
        self._check_open()
        with self._log.step() as store:
            yield store

    def _check_open(self) -> None:
        self._owner.check()
        if self._closed.is_set():
            raise Closed("this backend was closed; open another with tallystick.open_backend(url)")


def _path(url: str) -> Path:
    parsed = BackendUrl.parse(url)
    name = parsed.path.removeprefix("/")
    if parsed.host or parsed.query or not name or "\0" in name:
        raise ConfigurationError(
            f"{urls.redact(url)!r} is not a URL of a dbm file; use dbm:///relative.dbm or dbm:////absolute.dbm, "
            "without options"
        )
    return Path(name)


def _now(now: datetime | None) -> datetime:
    return datetime.now(UTC) if now is None else validation.utc(now)


def _reject_transaction(transaction: object | None) -> None:
    if transaction is not None:
        raise Unsupported("dbm:// does not support transactions (transactions is not declared); omit transaction=")


def _insert(store: Store, record: Record) -> Inserted:
    duplicate = store.records.get(record.id) or store.holder(record)
    if duplicate is not None:
        return Inserted(duplicate, created=False)
    if record.queue not in store.queues:
        store.set_queue(record.queue, paused=False)
    return Inserted(store.put(record), created=True)


def _extend(store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
    record = store.current(claim)
    if record is None:
        return Hold.LOST
    store.put(record._replace(lease_until=until, updated_at=now))
    return Hold.CANCEL_REQUESTED if record.cancel_requested else Hold.HELD


def _settle(store: Store, outcome: Outcome, now: datetime) -> bool:
    record = store.current(outcome.claim)
    if record is None:
        return False
    store.put(transitions.settled(record, outcome, now))
    return True


def _remove(store: Store, ids: Iterator[UUID]) -> list[UUID]:
    removed = list(ids)
    for id in removed:
        store.remove(id)
    return removed


def _matching(store: Store, filter: Filter) -> list[Record]:
    batches.filter(filter, _CAPABILITIES.max_batch)
    if filter.ids is None:
        return [record for record in store.records.values() if filter.fits(record)]
    found = (store.records.get(id) for id in dict.fromkeys(filter.ids))
    rest = replace(filter, ids=None)
    return [record for record in found if record is not None and rest.fits(record)]
