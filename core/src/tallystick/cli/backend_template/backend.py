"""The backend contract on acme. Write the methods that raise `NotImplementedError` next, in their order.

The kit tests each method as soon as it is written: `tallystick conform acme://try`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tallystick import (
    Advance,
    Backend,
    BackendUrl,
    Beat,
    Capabilities,
    Changes,
    Claim,
    ConfigurationError,
    Filter,
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
    urls,
)
from tallystick.backends import calls, counting, keys, lifetime, selection, transitions

from .store import Store

_CAPABILITIES = Capabilities(  # declare only features that your store has; the kit tests each of them
    durable=False,
    multi_process=False,
    notify=False,
    transactions=False,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=1024 * 1024,
    max_batch=10_000,
    error_text=True,
)

_stores: defaultdict[str, Store] = defaultdict(Store)


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")  # add the options of your URLs as fields


class AcmeBackend(Backend):
    """A client of the store at a URL: `acme://name`."""

    contract_version: ClassVar[int] = 2

    def __init__(self, name: str) -> None:
        self._name = name
        self._lifetime = lifetime.Lifetime()

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(_name(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return f"acme://{_name(url)}.{urls.namespace(namespace)}"

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def setup(self) -> None:
        with self._step():
            pass  # create your tables here

    def teardown(self) -> None:
        with self._step() as store:
            store.clear()

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        call = calls.insert(records, _CAPABILITIES, transaction=transaction, now=now)
        with self._step() as store:
            return [_insert(store, new, record) for new, record in zip(call.records, call.stored(), strict=True)]

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        distinct = calls.get(ids, _CAPABILITIES)
        with self._step() as store:
            return {id: store.records[id] for id in distinct if id in store.records}

    def list(
        self,
        filter: Filter,
        *,
        limit: int,
        order: Order = "id",
        after: UUID | tuple[datetime, UUID] | None = None,
    ) -> Sequence[Record]:
        call = calls.list(filter, _CAPABILITIES, limit=limit, order=order, after=after)
        with self._step() as store:
            page = selection.page(selection.matching(store.records, call.filter), call)
        return [transitions.without_details(record) for record in page]

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        call = calls.count(filter, _CAPABILITIES, at_most=at_most)
        with self._step() as store:
            return min(call.at_most, len(selection.matching(store.records, call.filter)))

    def stats(self, *, now: datetime | None = None) -> Stats:
        call = calls.stats(_CAPABILITIES, now=now)
        with self._step() as store:
            return counting.stats(counting.counts(store.records.values(), call.now), store.queues())

    def pause(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._step() as store:
            store.paused[name] = True

    def resume(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._step() as store:
            if name in store.paused:
                store.paused[name] = False

    def queues(self) -> Sequence[Queue]:
        with self._step() as store:
            return store.queues()

    def close(self) -> None:
        self._lifetime.end()

    # Write next: the life of a job.

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        raise NotImplementedError("lock due jobs of open queues, and store transitions.claimed(...) of each")

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        raise NotImplementedError("store transitions.extended(...) for each current claim, and return transitions.hold")

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        raise NotImplementedError("store transitions.reported(...) for each current claim")

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        raise NotImplementedError(
            "store transitions.settled(...) for each current claim, and check it in the same step"
        )

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        raise NotImplementedError("store transitions.rescued(...) for running jobs with an expired lease")

    # Then: changes by operators.

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        raise NotImplementedError("store transitions.cancelled(...) for matching jobs")

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        raise NotImplementedError("store transitions.requeued(...) for matching jobs that can take their unique key")

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        raise NotImplementedError("delete matching jobs that do not run")

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        raise NotImplementedError("store transitions.updated(...) for matching jobs")

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
        raise NotImplementedError("delete jobs that finished before this time, the oldest first")

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        raise NotImplementedError("store whole records; see tallystick.backends.restore_calls")

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        raise NotImplementedError("block until a job of these queues may be due; see tallystick.backends.waiting")

    # Last: schedules, workers and meters.

    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        raise NotImplementedError("store schedules by name; see tallystick.backends.register_calls")

    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        raise NotImplementedError("return schedules by name")

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        raise NotImplementedError("return the schedules whose next tick is first; see registers.due")

    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        raise NotImplementedError("store registers.advanced(...) and insert the jobs of the ticks, in one step")

    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        raise NotImplementedError("delete schedules, and return the names of those that existed")

    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        raise NotImplementedError("store beat.info(...) by the name of the worker")

    def workers(self) -> Sequence[WorkerInfo]:
        raise NotImplementedError("return the workers by name")

    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        raise NotImplementedError("add up the numbers of each minute, queue and kind")

    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        raise NotImplementedError("return the sums of each step; see registers.by_steps")

    @contextmanager
    def _step(self) -> Iterator[Store]:
        """Lock the store, so that a call reads, decides and writes before another call reads."""
        self._lifetime.check()
        store = _stores[self._name]
        with store.lock:
            self._lifetime.check()
            yield store


def _name(url: str) -> str:
    parsed = BackendUrl.parse(url)
    parsed.options(_Options)
    if parsed.path or not parsed.host:
        raise ConfigurationError(f"{urls.redact(url)!r} is no URL of a store; write acme://name")
    return parsed.host


def _insert(store: Store, new: NewRecord, record: Record) -> Inserted:
    """Store a record, unless another record has its id or holds its unique key."""
    existing = store.records.get(record.id) or store.holder(record.unique_key, record.created_at)
    if existing is None:
        store.add(record)
        return Inserted(record, created=True)
    result = Inserted(existing, created=False)
    if new.on_conflict != "skip" and existing.id != new.id:
        result = keys.met(existing, new, record.run_at, record.created_at)
        store.records[existing.id] = result.record
    return result._replace(record=transitions.without_details(result.record))
