"""Bugs in the default clock of calls, and in clients whose clocks differ."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import Claim, Filter, Hold, Inserted, NewRecord, Outcome, Record, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Now

_IMPORTED = datetime.now(UTC)


class HasNoClock(MemoryBackend):
    """Without now, an insert uses a time one hour ago."""

    def insert(
        self, records: Sequence[NewRecord], *, now: datetime | None = None, **options: Any
    ) -> Sequence[Inserted]:
        return super().insert(records, now=now or datetime.now(UTC) - timedelta(hours=1), **options)


class CountsSinceItsImport(MemoryBackend):
    """stats uses the time of the import as its default now."""

    def stats(self, *, now: Now = _IMPORTED) -> Stats:
        return super().stats(now=now)


class RequeuesByNoClock(MemoryBackend):
    """Without now, requeue keeps the job's run_at."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        before = dict(self._store.records)
        ids = super().requeue(filter, limit=limit, now=now)
        for id in ids if now is None else ():
            self._store.put(self._store.records[id]._replace(run_at=before[id].run_at))
        return ids


class ExtendsWhatIsLeft(MemoryBackend):
    """Without now, extend adds the lease to the end of the old one."""

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = store.records.get(claim.id)
        if (
            record is not None
            and record.lease_until is not None
            and abs(now - datetime.now(UTC)) < timedelta(minutes=1)
        ):
            until += record.lease_until - now
        return super()._extend(store, claim, until, now)


class FreezesTime(MemoryBackend):
    """The first now of a client is used for all its claims."""

    _first: datetime | None = None

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        self._first = self._first or now
        return super().claim(queues, now=self._first, **options)


class NeverGoesBack(MemoryBackend):
    """A now earlier than the latest one is replaced by it."""

    _latest = datetime.min.replace(tzinfo=UTC)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        now = now or datetime.now(UTC)
        if now.tzinfo is not None:
            self._latest = now = max(now, self._latest)
        return super().settle(outcomes, transaction=transaction, now=now)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("has no clock", "TIME-07", HasNoClock),
    MEMORY.mutant("counts since its import", "TIME-07", CountsSinceItsImport),
    MEMORY.mutant("requeues by no clock", "TIME-07", RequeuesByNoClock),
    MEMORY.mutant("extends what is left", "TIME-07", ExtendsWhatIsLeft),
    MEMORY.mutant("freezes time", "TIME-09", FreezesTime, "B8"),
    MEMORY.mutant("never goes back", "TIME-09", NeverGoesBack, "B7"),
)
