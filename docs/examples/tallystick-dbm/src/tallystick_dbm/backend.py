"""Implement the backend contract on one append-only file. Each call is one step: lock, read, decide, write, unlock."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import quote
from uuid import UUID

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
    error_text=True,
)

_POLL_SECONDS = 0.02


class DbmBackend(Backend):
    """One client of the store in a file: `dbm:///relative.dbm`, `dbm:////absolute.dbm`."""

    contract_version: ClassVar[int] = 2

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
            return [_insert(store, new, record) for new, record in zip(call.records, call.stored(), strict=True)]

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        call = calls.claim(queues, _CAPABILITIES, limit=limit, worker=worker, lease=lease, now=now)
        with self._step() as store:
            due = [store.records[id] for id in islice(store.due(call.queues, call.now), call.limit)]
            claimed = [store.put(transitions.claimed(record, call.worker, call.until, call.now)) for record in due]
        return _without_details(claimed)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        call = calls.extend(claims, _CAPABILITIES, lease=lease, now=now)
        with self._step() as store:
            return [_extend(store, claim, call.until, call.now) for claim in call.claims]

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        call = calls.report_progress(reports, _CAPABILITIES, now=now)
        with self._step() as store:
            return [_report(store, report, call) for report in call.reports]

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
            chosen = list(islice(expired, call.limit))
            rescued = [store.put(transitions.rescued(record, call.now)) for record in chosen]
        return _without_details(rescued)

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
            found = selection.matching(store.records, call.filter)
        return _without_details(selection.page(found, call))

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        call = calls.count(filter, _CAPABILITIES, at_most=at_most)
        with self._step() as store:
            return min(call.at_most, len(selection.matching(store.records, call.filter)))

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
            requeued = transitions.requeued(record, call.now)
            if requeued is None:
                return None
            if not keys.takes(requeued, call.now):
                store.drop_key(record)
            elif store.holder(record, call.now) in (None, record):
                store.take_key(record)
            else:
                return None
            return requeued

        return self._change(call, requeue)

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.update(filter, changes, _CAPABILITIES, limit=limit, now=now)

        def update(store: Store, record: Record) -> Record | None:
            updated = transitions.updated(record, call.changes, call.now)
            if updated is not None:
                store.know_queue(updated.queue)
            return updated

        return self._change(call, update)

    def _change(
        self, call: calls.ChangeCall | calls.UpdateCall, change: Callable[[Store, Record], Record | None]
    ) -> Sequence[UUID]:
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
        with self._step() as store:
            ended = (record for record in store.records.values() if record.state in call.states)
            old = (r.id for r in ended if r.finished_at and call.selects(r.kind, r.finished_at))
            return len(_remove(store, islice(old, call.limit)))

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        call = restore_calls.restore(records, _CAPABILITIES, now=now)
        with self._step() as store:
            taking = (record for record in call.records if keys.takes(record, call.now))
            held = {record.unique_key for record in taking if record.unique_key and store.holder(record, call.now)}
            placed = call.placed(store.records, held)
            for one in placed:
                if one is not None:
                    store.add(one)
        return [one is not None for one in placed]

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

    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        call = register_calls.put_schedules(schedules, _CAPABILITIES, now=now)
        with self._step() as store:
            for new in call.schedules:
                old = store.schedules.get(new.name)
                stored = new.stored(call.now) if old is None else new.replacing(old, call.now)
                if stored is not old:
                    store.set_schedule(new.name, stored)
            return [store.schedules[new.name] for new in call.schedules]

    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        chosen = None if names is None else register_calls.names(names, _CAPABILITIES)
        with self._step() as store:
            return [store.schedules[name] for name in sorted(store.schedules) if chosen is None or name in chosen]

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        limit = validation.limit(limit)
        with self._step() as store:
            return registers.due(store.schedules.values(), limit)

    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        call = register_calls.advance(advances, _CAPABILITIES, now=now)
        with self._step() as store:
            return [_advance(store, advance, call) for advance in call.advances]

    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        chosen = register_calls.names(names, _CAPABILITIES)
        with self._step() as store:
            removed = sorted(store.schedules.keys() & {*chosen})
            for name in removed:
                store.set_schedule(name, None)
        return removed

    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        call = register_calls.beat(beat, _CAPABILITIES, ttl=ttl, now=now)
        with self._step() as store:
            store.set_worker(beat.worker, beat if call.ttl else None, call.now, call.ttl)
            for worker in [one for one in store.workers.values() if not registers.is_kept(one, call.now)]:
                store.set_worker(worker.worker, None, call.now, call.ttl)

    def workers(self) -> Sequence[WorkerInfo]:
        with self._step() as store:
            return [store.workers[name] for name in sorted(store.workers)]

    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        call = register_calls.meter(deltas, _CAPABILITIES, now=now)
        with self._step() as store:
            for delta in call.deltas:
                key, more = (delta.minute, delta.queue, delta.kind), registers.Numbers.of(delta)
                store.set_meter(key, store.meters[key].plus(more) if key in store.meters else more)
            for key in [key for key in store.meters if key[0] < call.oldest]:
                store.set_meter(key, None)

    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        call = register_calls.meters(since, until, step=step)
        with self._step() as store:
            chosen = [(*key, sums) for key, sums in store.meters.items() if call.since <= key[0] < call.until]
        return registers.by_steps(chosen, call)

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


def _insert(store: Store, new: NewRecord, record: Record) -> Inserted:
    holder = store.holder(record, record.created_at)
    if record.id in store.records:
        return Inserted(transitions.without_details(store.records[record.id]), created=False)
    if holder is None:
        store.know_queue(record.queue)
        return Inserted(store.put(record), created=True)
    result = keys.met(holder, new, record.run_at, record.created_at)
    if result.applied is not None:
        store.put(result.record)
    return result._replace(record=transitions.without_details(result.record))


def _extend(store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
    record = store.current(claim)
    if record is not None:
        store.put(transitions.extended(record, until, now))
    return transitions.hold(record and record.cancel_requested)


def _report(store: Store, report: ProgressReport, call: calls.ReportCall) -> bool:
    record = store.current(report.claim)
    if record is None:
        return False
    store.put(transitions.reported(record, call.progress(report), call.now))
    return True


def _settle(store: Store, outcome: Outcome, now: datetime) -> bool:
    record = store.current(outcome.claim)
    if record is None:
        return False
    store.put(transitions.settled(record, outcome, now))
    return True


def _advance(store: Store, advance: Advance, call: register_calls.AdvanceCall) -> bool:
    schedule = registers.advanced(store.schedules.get(advance.name), advance, call)
    if schedule is None:
        return False
    store.set_schedule(advance.name, schedule)
    for tick in advance.ticks:
        new = schedule.job(tick)
        _insert(store, new, new.stored(call.now))
    return True


def _without_details(records: Sequence[Record]) -> Sequence[Record]:
    return [transitions.without_details(record) for record in records]


def _remove(store: Store, ids: Iterator[UUID]) -> list[UUID]:
    removed = list(ids)
    for id in removed:
        store.remove(id)
    return removed


def _queues(store: Store) -> list[Queue]:
    return [Queue(name, paused) for name, paused in sorted(store.queues.items())]
