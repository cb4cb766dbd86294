"""Bugs of steps: what commits late or in two, what a refusal leaves open, what another process never hears of."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from threading import Timer
from typing import Any
from uuid import UUID

from tallystick import Backend, Filter, Inserted, InvalidArgument, NewRecord, Outcome, Queue, Record, State
from tallystick_conformance import Mutant
from tallystick_sqlite import SqliteBackend, queries, rows
from tallystick_sqlite.connection import Connection
from tallystick_sqlite.location import Location
from tallystick_sqlite.matching import get, matching

from .sqlite_patch import URL

Now = datetime | None

_ADD_QUEUE = queries.ADD_QUEUE
_CLEARED = "finished_at = NULL, result = NULL,\n    cancel_requested = FALSE, "
_CLEAR = "UPDATE tallystick_jobs SET finished_at = NULL, result = NULL, cancel_requested = FALSE WHERE id = ?"


class _KnowsQueuesLate(SqliteBackend):
    def insert(self, records: Sequence[NewRecord], *, transaction: Any = None, now: Now = None) -> Sequence[Inserted]:
        answers = super().insert(records, transaction=transaction, now=now)
        with self._target(transaction) as target:
            for name in {answer.record.queue for answer in answers if answer.created}:
                target.execute(_ADD_QUEUE, {"queue": name})
        return answers


def knows_queues_late() -> type[Backend]:
    """The queues of an insert are made known in a transaction of their own, after that of its jobs."""
    queries.ADD_QUEUE = "SELECT :queue"
    return _KnowsQueuesLate


class _ClearsLate(SqliteBackend):
    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        ids = super().requeue(filter, limit=limit, now=now)
        for id in ids:
            with self._writer.writing() as connection:
                connection.execute(_CLEAR, (id.bytes,))
        return ids


def clears_late() -> type[Backend]:
    """A requeue makes jobs pending, and clears what they ended with in transactions of their own."""
    queries.REQUEUE = queries.REQUEUE.replace(_CLEARED, "")
    return _ClearsLate


class _CommitsFirst(Connection):
    @contextmanager
    def reading(self) -> Iterator[Any]:
        with super().reading() as connection:
            connection.commit()
            yield connection


class CommitsLater(SqliteBackend):
    """A settle is answered before it commits, which it does with the client's next call, or after a moment."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._writer = self._reader = _CommitsFirst(location)
        self._connections = (self._watcher, self._reader, self._writer)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        if transaction is not None:
            return super().settle(outcomes, transaction=transaction, now=now)
        with self._writer.reading() as connection:
            connection.execute(queries.BEGIN_WRITE)
            answers = super().settle(outcomes, transaction=connection, now=now)
        Timer(0.02, self._writer.let_go).start()
        return answers


class LeavesRefusedOpen(SqliteBackend):
    """A settle begins before it looks at what it was given; what it refuses, it leaves begun."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        try:
            return super().settle(outcomes, transaction=transaction, now=now)
        except InvalidArgument:
            with self._writer.reading() as connection:
                connection.execute(queries.BEGIN_WRITE)
            raise


_paused: defaultdict[str, set[str]] = defaultdict(set)


class PausesInItsProcess(SqliteBackend):
    """Which queues are paused is kept beside the store, for all clients of this process."""

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
    """A teardown unlinks the file also where others have it open."""

    def teardown(self) -> None:
        super().teardown()
        self._location.path.unlink(missing_ok=True)


class _Unlocked(Connection):
    @contextmanager
    def reading(self) -> Iterator[Any]:
        with super().reading() as connection:
            pass
        yield connection


class ReadsUnlocked(SqliteBackend):
    """Reading does not wait for its turn on the connection that a client's threads share."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._reader = _Unlocked(location)
        self._connections = (self._watcher, self._reader, self._writer)


class ListsInTwoSteps(SqliteBackend):
    """A list finds ids in one step, and reads each record in another."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        super().list(filter, limit=limit, after=after)  # for what it refuses
        with self._reader.reading() as connection:
            ids = [*islice(matching(connection, filter, states=set(State), after=after), limit)]
            return [record for id in ids if (record := get(connection, id)) is not None]


class LooksOnlyLater(SqliteBackend):
    """A wait that has no time to wait says that there is nothing."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues if timeout else [], timeout=timeout)


def reckons_with_floats() -> type[Backend]:
    """A moment is stored as what its timestamp, a float, is in microseconds."""
    rows.micros.__code__ = (lambda moment: round(moment.timestamp() * 1_000_000)).__code__
    return SqliteBackend


def _mutant(name: str, clause: str, make: type[Backend] | Callable[[], type[Backend]], source: str = "") -> Mutant:
    return Mutant(name, clause, make, make.__doc__ or "", source, URL)


MUTANTS = (
    _mutant("knows queues late", "CRASH-02", knows_queues_late, "H2"),
    _mutant("clears late", "CRASH-03", clears_late),
    _mutant("commits later", "CRASH-01", CommitsLater, "N4"),
    _mutant("leaves what it refused open", "LEAK-04", LeavesRefusedOpen, "M5"),
    _mutant("pauses in its process", "SETUP-11", PausesInItsProcess, "A2"),
    _mutant("unlinks under others", "SETUP-02", UnlinksUnderOthers),
    _mutant("reads unlocked", "CALL-01", ReadsUnlocked),
    _mutant("lists in two steps", "SCHED-08", ListsInTwoSteps),
    _mutant("looks only later", "WAIT-02", LooksOnlyLater),
    _mutant("reckons with floats", "TIME-05", reckons_with_floats, "B5"),
)
