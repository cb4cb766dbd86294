"""Bugs in durations that are added to local time, which a clock change shifts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Claim, Hold, Inserted, NewRecord, Outcome, Record, Release, Retry
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

Now = datetime | None


def _elapsed(length: timedelta, now: Now) -> timedelta:
    """Return the real duration until the local clock shows a time that is later by the given one."""
    if now is None or now.tzinfo is None or length <= timedelta(0):
        return length
    shown = now.astimezone().replace(tzinfo=None)
    try:
        return (shown + length).astimezone(UTC) - now
    except (OverflowError, ValueError, OSError):
        return length


class WallClockLease(MemoryBackend):
    """A lease is added to local time."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, now: Now = None, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=_elapsed(lease, now), now=now, **options)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        return super().extend(claims, lease=_elapsed(lease, now), now=now)


class WallClockDelay(MemoryBackend):
    """A delay of a new job is added to local time."""

    def insert(self, records: Sequence[NewRecord], *, now: Now = None, **options: Any) -> Sequence[Inserted]:
        local = [
            replace(record, run_at=_elapsed(record.run_at, now)) if isinstance(record.run_at, timedelta) else record
            for record in records
        ]
        return super().insert(local, now=now, **options)


class WallClockRetry(MemoryBackend):
    """A delay of a Retry or a Release is added to local time."""

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
