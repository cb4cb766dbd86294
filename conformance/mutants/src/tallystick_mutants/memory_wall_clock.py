"""Bugs of lengths of time: added to what a clock on the wall shows, which is set forward and back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Claim, Hold, Inserted, NewRecord, Outcome, Record, Release, Retry
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

Now = datetime | None


def _elapsed(length: timedelta, now: Now) -> timedelta:
    """Return how long it is until the local clock shows a time that is later by a length."""
    if now is None or now.tzinfo is None or length <= timedelta(0):
        return length
    shown = now.astimezone().replace(tzinfo=None)
    try:
        return (shown + length).astimezone(UTC) - now
    except (OverflowError, ValueError, OSError):
        return length


class WallClockLease(MemoryBackend):
    """A lease ends when the local clock shows as much later as it is long."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, now: Now = None, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=_elapsed(lease, now), now=now, **options)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        return super().extend(claims, lease=_elapsed(lease, now), now=now)


class WallClockDelay(MemoryBackend):
    """A delay of a new job ends when the local clock shows as much later as it is long."""

    def insert(self, records: Sequence[NewRecord], *, now: Now = None, **options: Any) -> Sequence[Inserted]:
        local = [
            replace(record, run_at=_elapsed(record.run_at, now)) if isinstance(record.run_at, timedelta) else record
            for record in records
        ]
        return super().insert(local, now=now, **options)


class WallClockRetry(MemoryBackend):
    """A delay of a retry or a release ends when the local clock shows as much later as it is long."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        return super().settle([_local(outcome, now) for outcome in outcomes], transaction=transaction, now=now)


def _local(outcome: Outcome, now: Now) -> Outcome:
    if isinstance(outcome, Retry | Release) and isinstance(outcome.run_at, timedelta):
        return replace(outcome, run_at=_elapsed(outcome.run_at, now))
    return outcome


MUTANTS = tuple(
    Mutant(f"{what} by the wall clock", "TIME-12", make, make.__doc__ or "")
    for what, make in (("leases", WallClockLease), ("delays", WallClockDelay), ("retries", WallClockRetry))
)
