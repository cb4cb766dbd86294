"""Bugs at the limits of values: counters and times that overflow before the contract's limits."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Claim, Hold, Outcome, Record, Release
from tallystick.records import MAX_ATTEMPTS
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

Now = datetime | None
_NANOSECONDS_END = datetime(2262, 4, 11, 23, 47, tzinfo=UTC)


class CapsMaxAttempts(MemoryBackend):
    """A Release does not raise max_attempts above the maximum for inserts."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        applied = super().settle(outcomes, transaction=transaction, now=now)
        with self._locked() as store:
            for outcome in outcomes:
                record = store.records.get(outcome.claim.id)
                if isinstance(outcome, Release) and record is not None:
                    store.put(record._replace(max_attempts=min(record.max_attempts, MAX_ATTEMPTS[1])))
        return applied


class EndsLeasesIn2262(MemoryBackend):
    """A lease is stored as 64-bit nanoseconds since 1970, and ends in 2262 at the latest."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, now: Now = None, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=_cut(lease, now), now=now, **options)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        return super().extend(claims, lease=_cut(lease, now), now=now)


class RefusesLowPriorities(MemoryBackend):
    """A batch with a job of the lowest priority fails, because the negative of its priority does not fit in 16 bits."""

    def extend(self, claims: Sequence[Claim], **options: Any) -> Sequence[Hold]:
        with self._locked() as store:
            priorities = [store.records[claim.id].priority for claim in claims if claim.id in store.records]
        if -(2**15) in priorities:
            raise OverflowError("the opposite of -32768 does not fit")
        return super().extend(claims, **options)


def _cut(lease: timedelta, now: Now) -> timedelta:
    if now is None or now.tzinfo is None or not isinstance(lease, timedelta) or now >= _NANOSECONDS_END:
        return lease
    try:
        return min(now + lease, _NANOSECONDS_END) - now
    except OverflowError:
        return lease


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "")
    for name, clause, make in (
        ("caps max_attempts", "SETTLE-04", CapsMaxAttempts),
        ("ends leases in 2262", "CLAIM-09", EndsLeasesIn2262),
        ("refuses low priorities", "CALL-01", RefusesLowPriorities),
    )
)
