"""Bugs in times: due and expired at the moment, precision, and far times."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import NewRecord, Outcome, Record, Retry, validation
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Chooses, Inserts, Now


class ClaimsLate(Chooses):
    """A claim uses `<` instead of `<=`."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        return record.run_at < now and super()._choice(record, queues, now)


class RescuesByMilliseconds(MemoryBackend):
    """A rescue rounds its now down to milliseconds, so a lease expires up to one millisecond late."""

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        moment = validation.utc(now or datetime.now(UTC))
        return super().rescue(limit=limit, now=moment - timedelta(microseconds=moment.microsecond % 1_000))


class FarFutureIsNow(Inserts):
    """A run_at after 2262 overflows into the past."""

    def _changed(self, new: NewRecord) -> NewRecord:
        late = isinstance(new.run_at, datetime) and new.run_at.tzinfo is not None and new.run_at.year > 2262
        return replace(new, run_at=datetime(1677, 9, 21, tzinfo=UTC)) if late else new


class RunsEarly(MemoryBackend):
    """Due times are rounded down to milliseconds."""

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        if now is not None:
            now += timedelta(microseconds=999 - now.microsecond % 1000)
        return super().claim(queues, now=now, **options)


class CutsDelays(MemoryBackend):
    """A delay that ends after the year 9999 is shortened."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        cut = [
            replace(o, run_at=timedelta(days=365_000))
            if isinstance(o, Retry) and isinstance(o.run_at, timedelta) and o.run_at.days > 2_900_000
            else o
            for o in outcomes
        ]
        return super().settle(cut, transaction=transaction, now=now)


class KeepsSeconds(MemoryBackend):
    """finished_at is rounded down to seconds."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        return super()._settle(store, outcome, now.replace(microsecond=0))


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("claims late", "TIME-01", ClaimsLate, "B2"),
    MEMORY.mutant("rescues by milliseconds", "TIME-02", RescuesByMilliseconds, "B4"),
    MEMORY.mutant("overflows", "TIME-05", FarFutureIsNow, "B10"),
    MEMORY.mutant("runs early", "TIME-06", RunsEarly, "B5"),
    MEMORY.mutant("cuts delays", "TIME-08", CutsDelays, "B10"),
    MEMORY.mutant("keeps seconds", "TIME-11", KeepsSeconds),
)
