"""Bugs in the results of claims: jobs that are left out, attempts and leases."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import CLAIMABLE, Claim, Filter, Hold, Inserted, NewRecord, Outcome, Record, validation
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.lane import place

from ..patch import MEMORY
from .bases import Chooses, Now

_SECOND = timedelta(seconds=1)
_NANOSECONDS_END = datetime(2262, 4, 11, 23, 47, tzinfo=UTC)


class StallsBehindFuture(Chooses):
    """A claim stops at the job with the highest priority if it is not due, so future jobs block due ones."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        others = self._store.records.values()
        held_up = any(o.priority > record.priority and o.run_at > now and o.state in CLAIMABLE for o in others)
        return not held_up and super()._choice(record, queues, now)


class LeavesOutThePaused(MemoryBackend):
    """A claim applies its limit before it excludes the jobs of paused queues."""

    def claim(self, queues: Sequence[str], *, limit: int, now: Now = None, **options: Any) -> Sequence[Record]:
        moment = validation.utc(now or datetime.now(UTC))
        with self._locked() as store:
            waiting = [r for r in store.records.values() if r.state in CLAIMABLE and r.queue in queues]
            due = sorted((r for r in waiting if r.run_at <= moment), key=place)[: max(limit, 0)]
            room = sum(record.queue not in store.paused for record in due)
        if due and not room:
            return []
        return super().claim(queues, limit=room or limit, now=now, **options)


class RemembersThatNothingWasDue(MemoryBackend):
    """A client whose claim found no job repeats it only after a change of its own, or with another now."""

    _empty: Any = None

    def claim(self, queues: Sequence[str], *, now: Now = None, **options: Any) -> Sequence[Record]:
        asked = (tuple(queues), now)
        if now is not None and self._empty == asked:
            with self._locked():
                return []
        claimed = super().claim(queues, now=now, **options)
        self._empty = None if claimed else asked
        return claimed

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        self._empty = None
        return super().insert(records, **options)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        self._empty = None
        return super().settle(outcomes, transaction=transaction, now=now)

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        self._empty = None
        return super().rescue(limit=limit, now=now)

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        self._empty = None
        return super().requeue(filter, limit=limit, now=now)

    def resume(self, queue: str) -> None:
        self._empty = None
        super().resume(queue)


class RemembersTheNextDue(MemoryBackend):
    """A client caches when the next job is due, and reads again only then, or after a write of its own."""

    _next: Any = None

    def claim(self, queues: Sequence[str], *, now: Now = None, **options: Any) -> Sequence[Record]:
        asked, moment = tuple(queues), validation.utc(now or datetime.now(UTC))
        if self._next is not None and self._next[0] == asked and moment < self._next[1]:
            with self._locked():
                return []
        claimed = super().claim(queues, now=now, **options)
        with self._locked() as store:
            waiting = [r for r in store.records.values() if r.state in CLAIMABLE and r.queue in asked]
        self._next = (asked, min(r.run_at for r in waiting)) if waiting and not claimed else None
        return claimed

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        self._next = None
        return super().insert(records, **options)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        self._next = None
        return super().settle(outcomes, transaction=transaction, now=now)

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        self._next = None
        return super().rescue(limit=limit, now=now)

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        self._next = None
        return super().requeue(filter, limit=limit, now=now)

    def resume(self, queue: str) -> None:
        self._next = None
        super().resume(queue)


class StopsAtByte(MemoryBackend):
    """attempt is stored in one byte, and stops at 127."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = [record._replace(attempt=min(record.attempt, 127)) for record in super().claim(queues, **options)]
        with self._locked() as store:
            for record in claimed:
                store.put(record)
        return claimed


class IgnoresLease(MemoryBackend):
    """Each lease lasts one minute."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=timedelta(minutes=1), **options)


class LeasesASecondAtLeast(MemoryBackend):
    """A lease of less than a second is treated as one second."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=max(validation.positive(lease, "lease"), _SECOND), **options)


class EndsLeasesIn2262(MemoryBackend):
    """A lease is stored as 64-bit nanoseconds since 1970, and ends in 2262 at the latest."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, now: Now = None, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=_cut(lease, now), now=now, **options)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        return super().extend(claims, lease=_cut(lease, now), now=now)


def _cut(lease: timedelta, now: Now) -> timedelta:
    if now is None or now.tzinfo is None or not isinstance(lease, timedelta) or now >= _NANOSECONDS_END:
        return lease
    try:
        return min(now + lease, _NANOSECONDS_END) - now
    except OverflowError:
        return lease


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("stalls behind the future", "CLAIM-07", StallsBehindFuture, "G8"),
    MEMORY.mutant("leaves out the paused", "CLAIM-07", LeavesOutThePaused),
    MEMORY.mutant("remembers that nothing was due", "CLAIM-07", RemembersThatNothingWasDue),
    MEMORY.mutant("remembers the next due", "CLAIM-07", RemembersTheNextDue),
    MEMORY.mutant("stops at a byte", "CLAIM-08", StopsAtByte, "K4"),
    MEMORY.mutant("ignores the lease", "CLAIM-09", IgnoresLease, "J1"),
    MEMORY.mutant("leases a second at least", "CLAIM-09", LeasesASecondAtLeast),
    MEMORY.mutant("ends leases in 2262", "CLAIM-09", EndsLeasesIn2262),
)
