"""Bugs in transactions: the caller's, the time within one, and the isolation level."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from tallystick import Inserted, NewRecord, Outcome
from tallystick_conformance import Mutant
from tallystick_postgres import connections
from tallystick_postgres.location import Location
from tallystick_postgres.queries import Queries

from ..patch import POSTGRES
from .base import Broken

mutant, put = POSTGRES.mutant, POSTGRES.put

T = TypeVar("T")

_CLOCK, _BEGAN = "statement_timestamp()", "now()"


class TimeStandsStill(Broken):
    """now() is the start of the transaction, which is long ago in a caller's transaction."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        _everywhere(self._queries, _CLOCK, _BEGAN)


def _everywhere(queries: Queries, old: str, new: str) -> None:
    for name, text in vars(queries).items():
        if isinstance(text, str):
            setattr(queries, name, text.replace(old, new))


class StoresBeside(Broken):
    """An insert into a caller's transaction uses a connection of the backend."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        return super().insert(records, now=now)


class CommitsForTheCaller(Broken):
    """A settle in a caller's transaction commits that transaction."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        applied = super().settle(outcomes, transaction=transaction, now=now)
        if transaction is not None:
            execute: Callable[[str], object] = transaction.execute  # type: ignore[attr-defined]
            execute("COMMIT")
            execute("BEGIN")
        return applied


class _Serializable(connections.Connections):
    """Connections with the database's default isolation level, SERIALIZABLE."""

    def write(self, work: Callable[[Any], T]) -> T:
        return self.transact(work)

    def transact(self, work: Callable[[Any], T]) -> T:
        def serializable(cursor: Any) -> T:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            return work(cursor)

        return super().transact(serializable)


class TakesTheDefaultIsolation(Broken):
    """Calls use the database's default isolation level, SERIALIZABLE, and do not retry serialization failures."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._connections = _Serializable(location, self._lifetime, lambda connection, location: None)


MUTANTS: tuple[Mutant, ...] = (
    mutant("stands still in a transaction", "TIME-07", TimeStandsStill, "B8"),
    mutant("stores beside the transaction", "CAP-03", StoresBeside),
    mutant("commits for the caller", "CAP-09", CommitsForTheCaller),
    mutant("takes the default isolation", "SCHED-01", TakesTheDefaultIsolation, "M7",
           put("connections.PASSING", lambda _: ())),
)  # fmt: skip
