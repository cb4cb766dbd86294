"""Bugs in steps: late or split commits, transactions left open, and changes that other processes do not see."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Timer
from typing import Any, TypeVar
from uuid import UUID

from tallystick import Backend, Filter, Inserted, InvalidArgument, NewRecord, Order, Outcome, Queue, Record
from tallystick.backends import calls, times
from tallystick_sqlite import SqliteBackend, listing
from tallystick_sqlite.connection import Connection
from tallystick_sqlite.location import Location

from ..patch import SQLITE

T = TypeVar("T")
Now = datetime | None

_CLEARED = "finished_at = NULL, result = NULL, cancel_requested = FALSE, "
_CLEAR = "UPDATE tallystick_jobs SET finished_at = NULL, result = NULL, cancel_requested = FALSE WHERE id = ?"


class KnowsQueuesLate(SqliteBackend):
    """An insert makes new queues known in a second transaction, after that of its jobs."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._add_queue, self._queries.add_queue = self._queries.add_queue, "SELECT :queue"

    def insert(self, records: Sequence[NewRecord], *, transaction: Any = None, now: Now = None) -> Sequence[Inserted]:
        answers = super().insert(records, transaction=transaction, now=now)
        names = {answer.record.queue for answer in answers if answer.created}
        self._join_or_write(transaction, sqlite3.Cursor.executemany, self._add_queue, [{"queue": n} for n in names])
        return answers


class ClearsLate(SqliteBackend):
    """A requeue makes jobs pending in one transaction, and clears their results in another."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        ids = super().requeue(filter, limit=limit, now=now)
        for id in ids:
            self._writer.write(sqlite3.Connection.execute, _CLEAR, (id.bytes,))
        return ids


class _CommitsFirst(Connection):
    def _open(self) -> sqlite3.Connection:
        connection = super()._open()
        connection.commit()
        return connection


class CommitsLater(SqliteBackend):
    """settle returns before it commits. It commits at the client's next call, or after a moment."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._writer = self._reader = _CommitsFirst(location, self._lifetime)
        self._connections = (self._watcher, self._reader, self._writer)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        if transaction is not None:
            return super().settle(outcomes, transaction=transaction, now=now)

        def settle(connection: sqlite3.Connection) -> Sequence[bool]:
            connection.execute(self._queries.begin_write)
            return super(CommitsLater, self).settle(outcomes, transaction=connection, now=now)

        answers = self._writer.read(settle)
        Timer(0.02, self._writer.let_go).start()
        return answers


class LeavesRefusedOpen(SqliteBackend):
    """settle begins a transaction before it validates its arguments, and leaves it open if they are invalid."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        try:
            return super().settle(outcomes, transaction=transaction, now=now)
        except InvalidArgument:
            self._writer.read(sqlite3.Connection.execute, self._queries.begin_write)
            raise


_paused: defaultdict[str, set[str]] = defaultdict(set)


class PausesInItsProcess(SqliteBackend):
    """The paused queues are stored in the memory of the process instead of the database."""

    def pause(self, queue: str) -> None:
        super().pause(queue)
        super().resume(queue)
        _paused[self._location.url].add(queue)

    def resume(self, queue: str) -> None:
        super().resume(queue)
        _paused[self._location.url].discard(queue)

    def queues(self) -> Sequence[Queue]:
        return [Queue(name, name in _paused[self._location.url]) for name, _ in super().queues()]

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        paused = _paused[self._location.url]
        return super().claim([name for name in queues if name not in paused], **options)


class UnlinksUnderOthers(SqliteBackend):
    """teardown deletes the file although other clients have it open."""

    def teardown(self) -> None:
        super().teardown()
        self._location.path.unlink(missing_ok=True)


class _Unlocked(Connection):
    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return work(super()._use(lambda connection: connection))


class ReadsUnlocked(SqliteBackend):
    """Reads do not lock the connection that a client's threads share."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._reader = _Unlocked(location, self._lifetime)
        self._connections = (self._watcher, self._reader, self._writer)


class ListsInTwoSteps(SqliteBackend):
    """list finds ids in one step, and reads each record in another."""

    def list(
        self, filter: Filter, *, limit: int, order: Order = "id", after: UUID | tuple[datetime, UUID] | None = None
    ) -> Sequence[Record]:
        call = calls.list(filter, self.capabilities, limit=limit, order=order, after=after)
        return self._reader.read(listing.page, self._queries, call)


class LooksOnlyLater(SqliteBackend):
    """wait with a zero timeout returns False."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues if timeout else [], timeout=timeout)


def reckons_with_floats() -> type[Backend]:
    """Times are converted to microseconds through floats."""
    times.micros.__code__ = (lambda moment: round(moment.timestamp() * 1_000_000)).__code__
    return SqliteBackend


MUTANTS = (
    SQLITE.mutant("knows queues late", "CRASH-02", KnowsQueuesLate, "H2"),
    SQLITE.mutant("clears late", "CRASH-03", ClearsLate, "", SQLITE.patch("requeue", _CLEARED, "")),
    SQLITE.mutant("commits later", "CRASH-01", CommitsLater, "N4"),
    SQLITE.mutant("leaves what it refused open", "LEAK-04", LeavesRefusedOpen, "M5"),
    SQLITE.mutant("pauses in its process", "SETUP-11", PausesInItsProcess, "A2"),
    SQLITE.mutant("unlinks under others", "SETUP-02", UnlinksUnderOthers),
    SQLITE.mutant("reads unlocked", "CALL-01", ReadsUnlocked),
    SQLITE.mutant("lists in two steps", "SCHED-08", ListsInTwoSteps),
    SQLITE.mutant("looks only later", "WAIT-02", LooksOnlyLater),
    SQLITE.mutant("reckons with floats", "TIME-05", reckons_with_floats, "B5"),
)
