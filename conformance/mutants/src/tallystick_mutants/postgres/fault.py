"""Bugs in connections: lost ones in use, silent ones without a timeout, open ones that leak."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
from tallystick import Inserted, NewRecord, OutcomeUnknown
from tallystick_conformance import Mutant
from tallystick_postgres.connections import Connection, Connections
from tallystick_postgres.location import Location
from tallystick_postgres.schema import check

from ..patch import POSTGRES
from .base import Broken

broken, mutant, patch, put = POSTGRES.broken, POSTGRES.mutant, POSTGRES.patch, POSTGRES.put

T = TypeVar("T")


class _Kept(Connections):
    _kept: Connection | None = None

    def _once(self, use: Callable[[Connection], T]) -> T:
        self._kept = self._kept or self._opened().getconn()
        return use(self._kept)


class KeepsTheLost(Broken):
    """A lost connection is used again, forever."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Kept(location, self._lifetime, check)


class _Taken(Connections):
    def _once(self, use: Callable[[Connection], T]) -> T:
        pool = self._opened()
        connection = self._take(pool)
        answer = use(connection)
        pool.putconn(connection)
        return answer


class KeepsWhatFailed(Broken):
    """A connection is not returned to the pool after a failed call."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Taken(location, self._lifetime, check)


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
            self._left.append(connection)  # without a commit
            connection.execute("BEGIN")
            connection.execute(self._location.queries.queues)
            return answer
        pool.putconn(connection)
        return answer


class LeavesTransactionsOpen(Broken):
    """A poll that found no job leaves its transaction open, with the locks of its reads."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Begun(location, self._lifetime, check)


class RepeatsUnderNewIds(Broken):
    """An insert with an unknown outcome is repeated with other ids."""

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
    """A client that lost its connection connects to a standby, and stays there."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Standby(location, self._lifetime, check)


class _Blind(Connections):
    def write(self, work: Callable[[Any], T]) -> T:
        return self.read(work)


class AsksAgainBlindly(Broken):
    """A claim whose reply was lost is repeated, and no worker gets the jobs of the first claim."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Blind(location, self._lifetime, check)


MUTANTS: tuple[Mutant, ...] = (
    mutant("keeps the lost", "FAULT-01", KeepsTheLost, "M1"),
    mutant("keeps what failed", "LEAK-05", KeepsWhatFailed, "M4"),
    mutant("leaves transactions open", "LEAK-04", LeavesTransactionsOpen, "M5"),
    mutant("repeats under new ids", "FAULT-03", RepeatsUnderNewIds, "M10"),
    mutant("takes any server", "FAULT-02", TakesAnyServer, "M13"),
    broken("is sure of what was lost", "FAULT-03",
           "A commit whose reply was lost raises Unavailable, as if nothing had happened.", "M10",
           put("connections.ours", lambda ours: lambda exc, location, **_: ours(exc, location))),
    mutant("asks again blindly", "FAULT-03", AsksAgainBlindly, "M10"),
    broken("waits for the silent", "FAULT-04",
           "A statement on a connection that does not respond has no timeout.", "M14",
           put("connections.Connection.wait", lambda _: psycopg.Connection.wait)),
    broken("gives up when undone", "RACE-12",
           "Batches lock keys in the given order, and a transaction that a deadlock rolled back is not retried.", "M7",
           patch("insert_batch", "ORDER BY unique_key, n", "ORDER BY n"), put("connections.PASSING", lambda _: ())),
)  # fmt: skip
