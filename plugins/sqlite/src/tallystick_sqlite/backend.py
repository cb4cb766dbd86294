"""The SQLite backend: implements the contract in one file."""

import builtins
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, timedelta
from typing import ClassVar, Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID

from tallystick import (
    CLAIMABLE,
    FINAL,
    LEASE_EXPIRED,
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
from tallystick.backends import callers, calls, register_calls, restore_calls
from tallystick.backends.group_commit import GroupCommit
from tallystick.backends.lifetime import Lifetime
from tallystick.backends.times import micros

from . import (
    claiming,
    counting,
    doctor,
    extending,
    forking,
    inserting,
    listing,
    matching,
    metering,
    presence,
    purging,
    reporting,
    restoring,
    rows,
    scheduling,
    schema,
    settling,
    updating,
    waiting,
)
from .capabilities import CAPABILITIES
from .connection import Connection
from .damaged import reads_any_text
from .errors import mapped
from .file_changes import FileChanges
from .join_transaction import join_transaction, reject_own_caller
from .location import Location, namespaced
from .matching import Change

P = ParamSpec("P")
T = TypeVar("T")


class SqliteBackend(Backend):
    """A client of the store in one file: `sqlite:///relative.db` or `sqlite:////absolute.db`.

    `transaction` must be a `sqlite3.Connection` to the same file, with a transaction begun.
    """

    contract_version: ClassVar[int] = 2

    def __init__(self, location: Location) -> None:
        self._location = location
        self._queries = location.queries
        self._lifetime = Lifetime()
        self._group_commit = GroupCommit(self._insert_together)
        self._writer = Connection(location, self._lifetime)
        self._reader = Connection(location, self._lifetime)
        self._watcher = Connection(location, self._lifetime)  # never writes: each commit changes its data_version
        self._connections = (self._watcher, self._reader, self._writer)
        self._file_changes = FileChanges(location.path)
        self._due = waiting.DueTime(self._watcher, self._queries)

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(Location.parse(url))

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return namespaced(url, namespace)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def setup(self) -> None:
        with self._in_use():
            reject_own_caller(callers.open_transaction(), self._location)
            schema.setup(self._location, then=self._writer.open_if_free)

    def script(self) -> str:
        return schema.script(self._location)

    def teardown(self) -> None:
        self._lifetime.check()
        for connection in self._connections:
            connection.let_go()
        with self._in_use():
            schema.teardown(self._location)

    @reads_any_text
    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        call = calls.insert(records, CAPABILITIES, transaction=transaction, now=now)
        if transaction is not None:
            return self._insert(call, transaction)
        self._lifetime.check()
        return self._group_commit.insert(call, lambda: self._insert(call))

    def _insert(self, call: calls.InsertCall, transaction: object | None = None) -> Sequence[Inserted]:
        new = [*zip(call.records, call.stored(), strict=True)]
        return self._join_or_write(transaction, inserting.insert, self._queries, new)

    def _insert_together(self, records: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        results = self._insert(calls.insert(records, CAPABILITIES))
        return {new.id: result for new, result in zip(records, results, strict=True)}

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._in_use(), mapped(self._location), closing(schema.open_store(self._location)) as connection:
            connection.execute(self._queries.begin_write)
            yield connection
            connection.commit()

    @reads_any_text
    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        call = calls.claim(queues, CAPABILITIES, limit=limit, worker=worker, lease=lease, now=now)
        return claiming.claim(self._reader, self._writer, self._queries, call)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        call = calls.extend(claims, CAPABILITIES, lease=lease, now=now)
        return self._writer.write(extending.extend, self._queries, call)

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        call = calls.report_progress(reports, CAPABILITIES, now=now)
        return self._writer.write(reporting.report, self._queries, call)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        ended = settling.parameters(calls.settle(outcomes, CAPABILITIES, transaction=transaction, now=now))
        return self._join_or_write(transaction, settling.settle, self._queries, ended)

    @reads_any_text
    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        call = calls.rescue(CAPABILITIES, limit=limit, now=now)
        parameters = {"limit": call.limit, "now": micros(call.now), **rows.error_columns(LEASE_EXPIRED)}
        rescued = self._writer.write(lambda writer: writer.execute(self._queries.rescue, parameters).fetchall())
        return rows.records(rescued)

    @reads_any_text
    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        wanted = calls.get(ids, CAPABILITIES)
        return self._reader.read(matching.get, self._queries, wanted)

    @reads_any_text
    def list(
        self,
        filter: Filter,
        *,
        limit: int,
        order: Order = "id",
        after: UUID | tuple[datetime, UUID] | None = None,
    ) -> Sequence[Record]:
        call = calls.list(filter, CAPABILITIES, limit=limit, order=order, after=after)
        return self._reader.read_snapshot(listing.page, self._queries, call)

    @reads_any_text
    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        call = calls.count(filter, CAPABILITIES, at_most=at_most)
        return self._reader.read_snapshot(listing.count, self._queries, call)

    @reads_any_text
    def stats(self, *, now: datetime | None = None) -> Stats:
        call = calls.stats(CAPABILITIES, now=now)
        return self._reader.read_snapshot(counting.stats, self._queries, call)

    @reads_any_text
    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, CAPABILITIES, limit=limit, now=now)
        return self._change(Change(self._queries.cancel, CLAIMABLE | {State.RUNNING}), call)

    @reads_any_text
    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.change(filter, CAPABILITIES, limit=limit, now=now)
        queries = self._queries
        states = FINAL | {State.RETRYING}
        return self._change(Change(queries.requeue, states, {"unique_key": None}, unblock=queries.free_keys), call)

    @reads_any_text
    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        call = calls.change(filter, CAPABILITIES, limit=limit)
        return self._change(Change(self._queries.delete, set(State) - {State.RUNNING}), call)

    def _change(self, change: Change, call: calls.ChangeCall) -> Sequence[UUID]:
        return self._writer.write(matching.change, self._queries, change, call)

    @reads_any_text
    def update(self, filter: Filter, changes: Changes, *, limit: int, now: datetime | None = None) -> Sequence[UUID]:
        call = calls.update(filter, changes, CAPABILITIES, limit=limit, now=now)
        return self._writer.write(updating.update, self._queries, call)

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
        return self._writer.write(purging.purge, self._queries, call)

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        call = restore_calls.restore(records, CAPABILITIES, now=now)
        return self._writer.write(restoring.restore, self._queries, call)

    def pause(self, queue: str) -> None:
        parameters = {"queue": calls.queue(queue)}
        self._writer.write(sqlite3.Connection.execute, self._queries.pause, parameters)

    def resume(self, queue: str) -> None:
        parameters = {"queue": calls.queue(queue)}
        self._writer.write(sqlite3.Connection.execute, self._queries.resume, parameters)

    @reads_any_text
    def queues(self) -> Sequence[Queue]:
        return self._reader.read(counting.queues, self._queries)

    @reads_any_text
    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        call = register_calls.put_schedules(schedules, CAPABILITIES, now=now)
        return self._writer.write(scheduling.put, self._queries, call)

    @reads_any_text
    def schedules(self, names: Collection[str] | None = None) -> Sequence[Schedule]:
        chosen = None if names is None else register_calls.names(names, CAPABILITIES)
        return self._reader.read(scheduling.schedules, self._queries, chosen)

    @reads_any_text
    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        limit = validation.limit(limit)
        return self._reader.read(scheduling.due, self._queries, limit)

    @reads_any_text
    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        call = register_calls.advance(advances, CAPABILITIES, now=now)
        return self._writer.write(scheduling.advance, self._queries, call)

    @reads_any_text
    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        chosen = register_calls.names(names, CAPABILITIES)
        return self._writer.write(scheduling.remove, self._queries, chosen)

    def beat(self, beat: Beat, *, ttl: timedelta, now: datetime | None = None) -> None:
        call = register_calls.beat(beat, CAPABILITIES, ttl=ttl, now=now)
        self._writer.write(presence.beat, self._queries, call)

    @reads_any_text
    def workers(self) -> Sequence[WorkerInfo]:
        return self._reader.read(presence.workers, self._queries)

    def meter(self, deltas: Sequence[MeterDelta], *, now: datetime | None = None) -> None:
        call = register_calls.meter(deltas, CAPABILITIES, now=now)
        self._writer.write(metering.meter, self._queries, call)

    @reads_any_text
    def meters(self, since: datetime, until: datetime, *, step: timedelta) -> Sequence[Meter]:
        call = register_calls.meters(since, until, step=step)
        return self._reader.read(metering.meters, self._queries, call)

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        call = calls.wait(queues, timeout=timeout)
        return waiting.wait(self._due, self._file_changes, self._lifetime, call)

    def diagnose(self, *, concurrency: int | None = None) -> Sequence[Finding]:
        with self._in_use(), mapped(self._location):
            return builtins.list(doctor.diagnose(self._location))

    def close(self) -> None:
        if self._lifetime.end():
            self._file_changes.close()
            for connection in self._connections:
                connection.let_go()

    def _join_or_write(
        self,
        transaction: object | None,
        work: Callable[Concatenate[sqlite3.Cursor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function in the caller's transaction, or in a new one; roll back all of its changes after an error."""

        def joining(cursor: sqlite3.Cursor) -> T:
            return work(cursor, *args, **kwargs)

        self._lifetime.check()
        if transaction is not None:
            return join_transaction(transaction, self._location, joining)
        return self._writer.write(lambda writer: joining(writer.cursor()))

    def _in_use(self) -> AbstractContextManager[None]:
        """Return a block for a short-lived connection, which a fork waits for."""
        self._lifetime.check()
        return forking.in_use(self._location.path)
