"""Implement the backend contract on one append-only file. Each call is one step: lock, read, decide, write, unlock."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import quote
from uuid import UUID

from tallystick import (
    Backend,
    BackendUrl,
    Capabilities,
    Claim,
    ConfigurationError,
    Filter,
    Hold,
    Inserted,
    NewRecord,
    Outcome,
    Queue,
    Record,
    State,
    Stats,
    urls,
)
from tallystick.backends import calls, counting, lifetime, selection, transitions, waiting

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
        self._lifetime = lifetime.Lifetime()

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
        self._lifetime.check()
        self._log.setup()

    def teardown(self) -> None:
        self._lifetime.check()
        self._log.teardown()

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        call = calls.insert(records, _CAPABILITIES, transaction=transaction, now=now)
        with self._step() as store:
            return [_insert(store, record) for record in call.stored()]

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        call = calls.claim(queues, _CAPABILITIES, limit=limit, worker=worker, lease=lease, now=now)
        with self._step() as store:
            due = [store.records[id] for id in islice(store.due(call.queues, call.now), call.limit)]
            return [store.put(transitions.claimed(record, call.worker, call.until, call.now)) for record in due]

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        call = calls.extend(claims, _CAPABILITIES, lease=lease, now=now)
        with self._step() as store:
            return [_extend(store, claim, call.until, call.now) for claim in call.claims]

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        call = calls.settle(outcomes, _CAPABILITIES, transaction=transaction, now=now)
        with self._step() as store:
            return [_settle(store, outcome, call.now) for outcome in call.outcomes]

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        call = calls.rescue(_CAPABILITIES, limit=limit, now=now)
        with self._step() as store:
            running = (store.records[id] for id in store.running)
            expired = (record for record in running if record.lease_until and record.lease_until <= call.now)
            return [store.put(transitions.rescued(record, call.now)) for record in list(islice(expired, call.limit))]

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        distinct = calls.get(ids, _CAPABILITIES)
        with self._step() as store:
            return {id: store.records[id] for id in distinct if id in store.records}

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        call = calls.list(filter, _CAPABILITIES, limit=limit, after=after)
        with self._step() as store:
            found = selection.matching(store.records, call.filter)
        return selection.page(found, limit=call.limit, after=call.after)

    def stats(self, *, now: datetime | None = None) -> Stats:
        call = calls.stats(_CAPABILITIES, now=now)
        with self._step() as store:
            return counting.stats(counting.counts(store.records.values(), call.now), _queues(store))

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit, now=now)
        return self._change(call, lambda _, record: transitions.cancelled(record, call.now))

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit, now=now)

        def requeue(store: Store, record: Record) -> Record | None:
            holder = store.holder(record)
            return transitions.requeued(record, call.now) if holder in (None, record) else None

        return self._change(call, requeue)

    def _change(self, call: calls.ChangeCall, change: Callable[[Store, Record], Record | None]) -> Sequence[UUID]:
        with self._step() as store:
            # lazily: each is decided after the one before was stored
            after = (change(store, record) for record in selection.matching(store.records, call.filter))
            return [store.put(record).id for record in islice((r for r in after if r is not None), call.limit)]

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit)
        with self._step() as store:
            found = selection.matching(store.records, call.filter)
            idle = (record.id for record in found if record.state is not State.RUNNING)
            return _remove(store, islice(idle, call.limit))

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        call = calls.purge(states, _CAPABILITIES, before=before, limit=limit)
        with self._step() as store:
            finished = (record for record in store.records.values() if record.state in call.states)
            old = (record.id for record in finished if record.finished_at and record.finished_at < call.before)
            return len(_remove(store, islice(old, call.limit)))

    def pause(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._step() as store:
            store.set_queue(name, paused=True)

    def resume(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._step() as store:
            if name in store.queues:
                store.set_queue(name, paused=False)

    def queues(self) -> Sequence[Queue]:
        with self._step() as store:
            return _queues(store)

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        call = calls.wait(queues, timeout=timeout)
        return waiting.wait(lambda: self._seconds_until_due(call.queues), self._sleep, call.timeout)

    def _seconds_until_due(self, queues: Sequence[str]) -> float | None:
        with self._step() as store:
            return 0 if any(store.due(queues, datetime.now(UTC))) else None

    def _sleep(self, seconds: float) -> bool:
        return self._lifetime.sleep(min(seconds, _POLL_SECONDS))

    def close(self) -> None:
        self._lifetime.end()

    @contextmanager
    def _step(self) -> Iterator[Store]:
        self._lifetime.check()
        with self._log.step() as store:
            yield store


def _path(url: str) -> Path:
    parsed = BackendUrl.parse(url)
    name = parsed.path.removeprefix("/")
    if parsed.host or parsed.query or not name or "\0" in name:
        raise ConfigurationError(
            f"{urls.redact(url)!r} is not a URL of a dbm file; use dbm:///relative.dbm or dbm:////absolute.dbm, "
            "without options"
        )
    return Path(name)


def _insert(store: Store, record: Record) -> Inserted:
    duplicate = store.records.get(record.id) or store.holder(record)
    if duplicate is not None:
        return Inserted(duplicate, created=False)
    if record.queue not in store.queues:
        store.set_queue(record.queue, paused=False)
    return Inserted(store.put(record), created=True)


def _extend(store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
    record = store.current(claim)
    if record is not None:
        store.put(transitions.extended(record, until, now))
    return transitions.hold(record and record.cancel_requested)


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


def _queues(store: Store) -> list[Queue]:
    return [Queue(name, paused) for name, paused in sorted(store.queues.items())]
