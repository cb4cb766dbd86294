"""Bugs of connections: lost ones that are kept, silent ones that are waited for, open ones that are forgotten."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from tallystick import Inserted, NewRecord, OutcomeUnknown
from tallystick_conformance import Mutant
from tallystick_postgres import PostgresBackend, connections, errors
from tallystick_postgres.connections import Connection, Connections
from tallystick_postgres.location import Location
from tallystick_postgres.schema import check

from .postgres_patch import URL, Broken, mutant, patch, replace

T = TypeVar("T")


class _Kept(Connections):
    _kept: Connection | None = None

    def _once(self, use: Callable[[Connection], T]) -> T:
        self._kept = self._kept or self._opened().getconn()
        return use(self._kept)


class KeepsTheLost(Broken):
    """A connection that was lost is used again, for ever."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Kept(location, check)


class _Taken(Connections):
    def _once(self, use: Callable[[Connection], T]) -> T:
        pool = self._opened()
        connection = self._take(pool)
        answer = use(connection)
        pool.putconn(connection)
        return answer


class KeepsWhatFailed(Broken):
    """A connection on which a call failed is not given back to the pool."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Taken(location, check)


class _Begun(Connections):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._left: list[Connection] = []

    def close(self) -> None:
        super().close()
        for connection in self._left:
            connection.close()

    def _once(self, use: Callable[[Connection], T]) -> T:
        pool = self._opened()
        connection = self._take(pool)
        answer = use(connection)
        if answer in ([], ()):
            self._left.append(connection)  # and no commit
            connection.execute("BEGIN")
            connection.execute(self._location.queries.queues)
            return answer
        pool.putconn(connection)
        return answer


class LeavesTransactionsOpen(Broken):
    """A poll that found nothing leaves its transaction open, with the locks that reading takes."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Begun(location, check)


class RepeatsUnderNewIds(Broken):
    """An insert whose outcome is unknown is made again, with other ids."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        try:
            return super().insert(records, transaction=transaction, now=now)
        except OutcomeUnknown:
            again = [NewRecord(kind=new.kind, queue=new.queue, payload=new.payload, id=uuid4()) for new in records]
            return super().insert(again, transaction=transaction, now=now)


class _Standby(Connections):
    _connected = 0

    def _take(self, pool: Any) -> Connection:
        connection = super()._take(pool)
        if not hasattr(connection, "of_the_primary"):
            self._connected += 1
            connection.of_the_primary = self._connected == 1  # type: ignore[attr-defined]
        if not connection.of_the_primary:  # type: ignore[attr-defined]
            connection.execute("SET default_transaction_read_only = on")
        return connection


class TakesAnyServer(Broken):
    """A client whose connection was lost connects to a standby, and stays there."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Standby(location, check)


class _Blind(Connections):
    def write(self, work: Callable[[Any], T]) -> T:
        return self.read(work)


class AsksAgainBlindly(Broken):
    """A claim whose answer was lost is made again; nobody has the jobs of the first."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Blind(location, check)


def _sure() -> type[PostgresBackend]:
    original = errors.ours
    replace(connections, "ours", lambda exc, location, **_: original(exc, location))
    return PostgresBackend


def _patient() -> type[PostgresBackend]:
    del Connection.wait
    return PostgresBackend


class GivesUpWhenUndone(Broken):
    """Batches lock in the order given, and what the server undid for a deadlock is not made again."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        patch(self._queries, "insert", "ORDER BY unique_key, n", "ORDER BY n")
        replace(connections, "PASSING", ())


MUTANTS: tuple[Mutant, ...] = (
    mutant("keeps the lost", "FAULT-01", KeepsTheLost, "M1"),
    mutant("keeps what failed", "LEAK-05", KeepsWhatFailed, "M4"),
    mutant("leaves transactions open", "LEAK-04", LeavesTransactionsOpen, "M5"),
    mutant("repeats under new ids", "FAULT-03", RepeatsUnderNewIds, "M10"),
    mutant("takes any server", "FAULT-02", TakesAnyServer, "M13"),
    Mutant("is sure of what was lost", "FAULT-03", _sure,
           "A commit whose answer was lost is told as Unavailable: that nothing happened.", "M10", URL),
    mutant("asks again blindly", "FAULT-03", AsksAgainBlindly, "M10"),
    Mutant("waits for the silent", "FAULT-04", _patient,
           "A statement on a connection that went silent is waited for without a limit.", "M14", URL),
    mutant("gives up when undone", "RACE-12", GivesUpWhenUndone, "M7"),
)  # fmt: skip
