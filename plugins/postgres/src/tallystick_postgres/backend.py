"""The PostgreSQL backend: implements the contract in one schema of a database."""

import builtins
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, LiteralString, Self
from uuid import UUID

import psycopg
from tallystick import (
    LEASE_EXPIRED,
    Advance,
    Backend,
    BackendError,
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
from tallystick.backends.group_commit import GroupCommit
from tallystick.backends.lazy_records import LazyRecords
from tallystick.backends.lifetime import Lifetime
from tallystick.backends.waiting import WakeUps

from . import (
    claiming,
    counting,
    doctor,
    extending,
    inserting,
    listing,
    matching,
    metering,
    reporting,
    requeueing,
    restoring,
    rows,
    schedule_rows,
    scheduling,
    schema,
    settling,
    worker_rows,
)
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

    contract_version: ClassVar[int] = 2

    def __init__(self, location: Location) -> None:
        self._location = location
        queries = self._queries = location.queries
        self._prepared = {queries.insert_one, queries.insert_batch, queries.claim, queries.next_due}
        self._lifetime = Lifetime()
        self._connections = Connections(location, self._lifetime, schema.check)
        self._group_commit = GroupCommit(self._insert_together)
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
        if transaction is None and now is None and inserting.can_insert_in_parts(records):
            results = self._insert_in_parts(records)
        else:
            call = calls.insert(records, CAPABILITIES, transaction=transaction, now=now)
            self._lifetime.check()
            if transaction is not None:
                with mapped(self._location):
                    return inserting.insert(join_transaction(transaction), self._queries, call)
            results = self._group_commit.insert(call, lambda: self._insert(call))
        self._wake_ups.wake({result.record.queue for result in results if result.created})
        return results

    def _insert_in_parts(self, records: LazyRecords) -> Sequence[Inserted]:
        return self._connections.transact(lambda cursor: inserting.insert_in_parts(cursor, self._queries, records))

    def _insert(self, call: calls.InsertCall) -> Sequence[Inserted]:
        run = self._connections.write if inserting.is_one_statement(call) else self._connections.transact
        return run(lambda cursor: inserting.insert(on(cursor, self._prepared), self._queries, call))

    def _insert_together(self, records: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        def insert(cursor: psycopg.Cursor[Row]) -> Sequence[Inserted | None]:
            return inserting.insert_new(on(cursor, self._prepared), self._queries, records)

        stored = self._connections.write(insert)
        return {result.record.id: result for result in stored if result is not None}

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Row]]:
        self._lifetime.check()
        with mapped(self._location), connect(self._location) as connection, connection.transaction():
            yield connection

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        call = calls.claim(queues, CAPABILITIES, limit=limit, worker=worker, lease=lease, now=now)
        claimed = claiming.claim(self._write, self._queries, call)
        self._waiting.claimed(found=bool(claimed))
        return claimed

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        call = calls.extend(claims, CAPABILITIES, lease=lease, now=now)
        return extending.extend(self._write, self._queries, call)

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        call = calls.report_progress(reports, CAPABILITIES, now=now)
        return reporting.report(self._write, self._queries, call)

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
        parameters = {"limit": call.limit, "now": call.given, **rows.error_columns(LEASE_EXPIRED)}
        rescued = rows.records(self._write(self._queries.rescue, parameters))
        self._wake_ups.wake({record.queue for record in rescued})
        with suppress(BackendError):  # the rescue is committed; the next rescue folds
            self._write(self._queries.fold, {"limit": _FOLD})
        return rescued

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        wanted = calls.get(ids, CAPABILITIES)
        found = self._read(self._queries.get, {"ids": builtins.list(wanted)})
        return {record.id: record for record in map(rows.record_with_details, found)}

    def list(
        self,
        filter: Filter,
        *,
        limit: int,
        order: Order = "id",
        after: UUID | tuple[datetime, UUID] | None = None,
    ) -> Sequence[Record]:
        call = calls.list(filter, CAPABILITIES, limit=limit, order=order, after=after)
        return listing.page(self._read, self._queries, call)

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        return listing.count(self._read, self._queries, calls.count(filter, CAPABILITIES, at_most=at_most))

    def stats(self, *, now: datetime | None = None) -> Stats:
        call = calls.stats(CAPABILITIES, now=now)
        return counting.stats(self._read(self._queries.stats, {"now": call.given}))

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        return self._change(self._queries.cancel, calls.change(filter, CAPABILITIES, limit=limit, now=now))

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, CAPABILITIES, limit=limit, now=now)
        return self._connections.transact(lambda cursor: requeueing.requeue(on(cursor), self._queries, call))

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return self._change(self._queries.delete, calls.change(filter, CAPABILITIES, limit=limit))

    def _change(self, query: LiteralString, call: calls.ChangeCall) -> Sequence[UUID]:
        return self._connections.transact(lambda cursor: matching.change(on(cursor), query, call))

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.update(filter, changes, CAPABILITIES, limit=limit, now=now)
        values = {name: getattr(call.changes, name) for name in ("run_at", "priority", "queue")}
        return self._connections.transact(
            lambda cursor: matching.change(on(cursor), self._queries.update, call, values)
        )

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
            states, CAPABILITIES, before=before, limit=limit, since=since, kinds=kinds, except_kinds=except_kinds
        )
        parameters = {
            "states": builtins.list(call.states),
            "since": call.since,
            "before": call.before,
            "kinds": None if call.kinds is None else builtins.list(call.kinds),
            "except_kinds": builtins.list(call.except_kinds),
            "limit": call.limit,
        }
        [[removed]] = self._write(self._queries.purge, parameters)
        return int(removed)

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        call = restore_calls.restore(records, CAPABILITIES, now=now)
        stored = self._connections.transact(lambda cursor: restoring.restore(on(cursor), self._queries, call))
        self._wake_ups.wake({record.queue for record in call.records})
        return stored

    def pause(self, queue: str) -> None:
        self._write(self._queries.pause, {"queue": calls.queue(queue)})

    def resume(self, queue: str) -> None:
        self._write(self._queries.resume, {"queue": calls.queue(queue)})
        self._wake_ups.wake([queue])

    def queues(self) -> Sequence[Queue]:
        return [Queue(name, paused) for name, paused in self._read(self._queries.queues, {})]

    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        call = register_calls.put_schedules(schedules, CAPABILITIES, now=now)
        return self._connections.transact(lambda cursor: scheduling.put(on(cursor), self._queries, call))

    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        chosen = None if names is None else builtins.list(register_calls.names(names, CAPABILITIES))
        return [*map(schedule_rows.schedule, self._read(self._queries.schedules, {"names": chosen}))]

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        parameters = {"limit": validation.limit(limit)}
        return [*map(schedule_rows.schedule, self._read(self._queries.due_schedules, parameters))]

    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        call = register_calls.advance(advances, CAPABILITIES, now=now)
        applied, jobs = self._connections.transact(lambda cursor: scheduling.advance(on(cursor), self._queries, call))
        self._wake_ups.wake({job.queue for job in jobs})
        return applied

    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        chosen = builtins.list(register_calls.names(names, CAPABILITIES))
        return sorted(name for [name] in self._write(self._queries.remove_schedules, {"names": chosen}))

    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        call = register_calls.beat(beat, CAPABILITIES, ttl=ttl, now=now)
        parameters = {"worker": beat.worker, "beat": beat.to_json(), "ttl": call.ttl, "now": call.given}
        self._write(self._queries.beat if call.ttl else self._queries.remove_worker, parameters)

    def workers(self) -> Sequence[WorkerInfo]:
        return [*worker_rows.workers(self._read(self._queries.workers, {}))]

    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        call = register_calls.meter(deltas, CAPABILITIES, now=now)
        self._write(self._queries.meter, metering.columns(call))

    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        call = register_calls.meters(since, until, step=step)
        parameters = {"since": call.since, "until": call.until, "step": min(call.step, metering.LONGEST_STEP)}
        return [*metering.meters(self._read(self._queries.meters, parameters))]

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
        return self._connections.write(lambda cursor: on(cursor, self._prepared)(query, parameters))

    def _read(self, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return self._connections.read(lambda cursor: on(cursor, self._prepared)(query, parameters))
