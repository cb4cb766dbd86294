"""The memory backend: implements the contract in this process. Each call holds the store's lock."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heapreplace
from itertools import islice
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
    validation,
)
from tallystick.backends import (
    calls,
    counting,
    keys,
    lifetime,
    register_calls,
    registers,
    restore_calls,
    selection,
    transitions,
    waiting,
)
from tallystick.backends.calls import ReportCall
from tallystick.backends.register_calls import AdvanceCall
from tallystick.backends.registers import Numbers

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
    error_text=True,
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

    contract_version: ClassVar[int] = 2

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._store = _stores[name] if name else Store()
        self._store.clients += 1
        self._lifetime = lifetime.Lifetime()

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
        call = calls.insert(records, _CAPABILITIES, transaction=transaction, now=now)
        stored = call.stored()
        with self._locked() as store:
            results = [
                self._insert(store, record) if new.on_conflict == "skip" else self._insert_or_meet(store, new, record)
                for new, record in zip(call.records, stored, strict=True)
            ]
            store.changed.notify_all()
        return results

    def _insert_or_meet(self, store: Store, new: NewRecord, record: Record) -> Inserted:
        result = self._insert(store, record)
        if result.created or result.record.id == new.id:
            return result
        result = keys.met(store.records[result.record.id], new, record.run_at, record.created_at)
        if result.applied is not None:
            store.put(result.record)
        return result._replace(record=transitions.without_details(result.record))

    def _insert(self, store: Store, record: Record) -> Inserted:
        if record.unique_key is not None:
            store.free_key(record.unique_key, record.created_at)
        duplicate = store.records.get(record.id) or store.holder(record.unique_key)
        if duplicate is not None:
            return Inserted(transitions.without_details(duplicate), created=False)
        store.put(record)
        return Inserted(record, created=True)

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        call = calls.claim(queues, _CAPABILITIES, limit=limit, worker=worker, lease=lease, now=now)
        with self._locked() as store:
            records = []
            for id in islice(_due(store, call.queues, call.now), call.limit):
                record = transitions.claimed(store.records[id], call.worker, call.until, call.now)
                store.put(record)
                records.append(transitions.without_details(record))
        return records

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        call = calls.extend(claims, _CAPABILITIES, lease=lease, now=now)
        with self._locked() as store:
            return [self._extend(store, claim, call.until, call.now) for claim in call.claims]

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = store.current(claim)
        if record is not None:
            store.put(transitions.extended(record, until, now))
        return transitions.hold(record and record.cancel_requested)

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        call = calls.report_progress(reports, _CAPABILITIES, now=now)
        with self._locked() as store:
            return [self._report(store, report, call) for report in call.reports]

    def _report(self, store: Store, report: ProgressReport, call: ReportCall) -> bool:
        record = store.current(report.claim)
        if record is None:
            return False
        store.put(transitions.reported(record, call.progress(report), call.now))
        return True

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        call = calls.settle(outcomes, _CAPABILITIES, transaction=transaction, now=now)
        with self._locked() as store:
            results = [self._settle(store, outcome, call.now) for outcome in call.outcomes]
            store.changed.notify_all()
        return results

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = store.current(outcome.claim)
        if record is None:
            return False
        store.put(transitions.settled(record, outcome, now))
        return True

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        call = calls.rescue(_CAPABILITIES, limit=limit, now=now)
        with self._locked() as store:
            running = map(store.records.__getitem__, store.running)
            expired = [record for record in running if record.lease_until and record.lease_until <= call.now]
            rescued = [transitions.rescued(record, call.now) for record in expired[: call.limit]]
            for record in rescued:
                store.put(record)
            store.changed.notify_all()
        return [transitions.without_details(record) for record in rescued]

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        distinct = calls.get(ids, _CAPABILITIES)
        with self._locked() as store:
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
        with self._locked() as store:
            page = selection.page(selection.matching(store.records, call.filter), call)
        return [transitions.without_details(record) for record in page]

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        call = calls.count(filter, _CAPABILITIES, at_most=at_most)
        with self._locked() as store:
            return min(call.at_most, len(selection.matching(store.records, call.filter)))

    def stats(self, *, now: datetime | None = None) -> Stats:
        call = calls.stats(_CAPABILITIES, now=now)
        with self._locked() as store:
            return counting.stats(counting.counts(store.records.values(), call.now), store.queues())

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit, now=now)
        with self._locked() as store:
            found = selection.matching(store.records, call.filter)
            return _put_some(store, (transitions.cancelled(record, call.now) for record in found), call.limit)

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit, now=now)
        with self._locked() as store:
            found = selection.matching(store.records, call.filter)
            changed = _put_some(store, (_requeued(store, record, call.now) for record in found), call.limit)
            store.changed.notify_all()
        return changed

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        call = calls.change(filter, _CAPABILITIES, limit=limit)
        with self._locked() as store:
            found = selection.matching(store.records, call.filter)
            deleted = [record for record in found if record.state is not State.RUNNING][: call.limit]
            for record in deleted:
                store.remove(record)
        return [record.id for record in deleted]

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.update(filter, changes, _CAPABILITIES, limit=limit, now=now)
        with self._locked() as store:
            found = selection.matching(store.records, call.filter)
            updates = (transitions.updated(record, call.changes, call.now) for record in found)
            changed = _put_some(store, updates, call.limit)
            store.changed.notify_all()
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
        with self._locked() as store:
            finished = (record for state in call.states for record in store.finished(state, call))
            count = 0
            for record in islice(finished, call.limit):
                store.remove(record)  # before the next one is taken, because the heap may have a record twice
                count += 1
        return count

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        call = restore_calls.restore(records, _CAPABILITIES, now=now)
        with self._locked() as store:
            held = {key for key in call.keys if (job := store.holder(key)) and not keys.has_passed(job, call.now)}
            placed = call.placed(store.records, held)
            for one in placed:
                if one is not None:
                    store.add(one)
            store.changed.notify_all()
        return [one is not None for one in placed]

    def pause(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._locked() as store:
            store.lane(name)
            store.paused.add(name)

    def resume(self, queue: str) -> None:
        name = calls.queue(queue)
        with self._locked() as store:
            store.paused.discard(name)
            store.changed.notify_all()

    def queues(self) -> Sequence[Queue]:
        with self._locked() as store:
            return store.queues()

    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        call = register_calls.put_schedules(schedules, _CAPABILITIES, now=now)
        with self._locked() as store:
            for new in call.schedules:
                old = store.schedules.get(new.name)
                store.schedules[new.name] = new.stored(call.now) if old is None else new.replacing(old, call.now)
            return [store.schedules[new.name] for new in call.schedules]

    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        chosen = None if names is None else register_calls.names(names, _CAPABILITIES)
        with self._locked() as store:
            found = sorted(store.schedules if chosen is None else store.schedules.keys() & {*chosen})
            return [store.schedules[name] for name in found]

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        limit = validation.limit(limit)
        with self._locked() as store:
            return registers.due(store.schedules.values(), limit)

    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        call = register_calls.advance(advances, _CAPABILITIES, now=now)
        with self._locked() as store:
            applied = [self._advance(store, advance, call) for advance in call.advances]
            store.changed.notify_all()
        return applied

    def _advance(self, store: Store, advance: Advance, call: AdvanceCall) -> bool:
        schedule = registers.advanced(store.schedules.get(advance.name), advance, call)
        if schedule is None:
            return False
        store.schedules[advance.name] = schedule
        for tick in advance.ticks:
            self._insert(store, schedule.job(tick).stored(call.now))
        return True

    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        chosen = register_calls.names(names, _CAPABILITIES)
        with self._locked() as store:
            return [name for name in sorted(chosen) if store.schedules.pop(name, None) is not None]

    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        call = register_calls.beat(beat, _CAPABILITIES, ttl=ttl, now=now)
        with self._locked() as store:
            store.workers[beat.worker] = beat.info(call.now, call.ttl)
            gone = [one.worker for one in store.workers.values() if not registers.is_kept(one, call.now)]
            for name in [*gone, beat.worker] if not call.ttl else gone:
                store.workers.pop(name, None)

    def workers(self) -> Sequence[WorkerInfo]:
        with self._locked() as store:
            return [store.workers[name] for name in sorted(store.workers)]

    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        call = register_calls.meter(deltas, _CAPABILITIES, now=now)
        with self._locked() as store:
            for delta in call.deltas:
                key, more = (delta.minute, delta.queue, delta.kind), Numbers.of(delta)
                store.meters[key] = store.meters[key].plus(more) if key in store.meters else more
            for key in [key for key in store.meters if key[0] < call.oldest]:
                del store.meters[key]

    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        call = register_calls.meters(since, until, step=step)
        with self._locked() as store:
            chosen = [(*key, sums) for key, sums in store.meters.items() if call.since <= key[0] < call.until]
        return registers.by_steps(chosen, call)

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        call = calls.wait(queues, timeout=timeout)
        with self._locked() as store:
            return waiting.wait(lambda: _seconds_until_due(store, call.queues), self._sleep, call.timeout)

    def _sleep(self, seconds: float) -> bool:
        self._store.changed.wait(seconds)
        return not self._lifetime.has_ended

    def close(self) -> None:
        if self._lifetime.end():
            with self._store.changed:
                self._store.clients -= 1
                self._store.changed.notify_all()
                if self._store.is_unused():
                    _stores.pop(self._name, None)

    @contextmanager
    def _locked(self) -> Iterator[Store]:
        self._lifetime.check()
        with self._store.changed:
            if self._lifetime.has_ended:  # `close` may have dropped the store during the wait for the lock
                raise lifetime.closed()
            yield self._store


def _name(url: str) -> str:
    parsed = BackendUrl.parse(url)
    parsed.options(_Options)
    if parsed.path:
        raise ConfigurationError(f"{urls.redact(url)!r} has a path; write memory:// or memory://name")
    return parsed.host


def _requeued(store: Store, record: Record, now: datetime) -> Record | None:
    """Return the requeued record, after it took its key. Return None if it stays unchanged."""
    changed = transitions.requeued(record, now)
    if changed is None or changed.unique_key is None:
        return changed
    if not keys.takes(changed, now):
        store.drop_key(changed)
        return changed
    store.free_key(changed.unique_key, now)
    holder = store.holder(changed.unique_key)
    if holder is not None and holder.id != changed.id:
        return None
    store.take_key(changed)
    return changed


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
        lanes[index].drop_first()
        if (following := lanes[index].first(now)) is not None:
            heapreplace(heads, (following, index))
        else:
            heappop(heads)


def _seconds_until_due(store: Store, queues: Sequence[str]) -> float | None:
    now, lanes = datetime.now(UTC), _open_lanes(store, queues)
    if any(lane.first(now) for lane in lanes):
        return 0
    moments = [moment for lane in lanes if (moment := lane.next_due()) is not None]
    return (min(moments) - now).total_seconds() if moments else None
