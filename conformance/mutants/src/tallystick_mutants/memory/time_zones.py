"""Bugs in time zones: of arguments, and clock changes during a lease or delay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Claim, Hold, Inserted, NewRecord, Outcome, Record, Release, Retry, State, validation
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Inserts, Now, Stores

_MONTH = timedelta(days=30)


class ReadsLocalTime(Inserts):
    """A run_at in another time zone is treated as UTC."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, run_at=new.run_at.replace(tzinfo=UTC)) if isinstance(new.run_at, datetime) else new


class ForgetsFold(Inserts):
    """A run_at in the hour that a clock change repeats always means the first one."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, run_at=new.run_at.replace(fold=0)) if isinstance(new.run_at, datetime) else new


class PurgesLocally(MemoryBackend):
    """The cut-off of a purge is read in the local time zone."""

    def purge(self, states: Sequence[State], *, before: datetime, limit: int, **options: Any) -> int:
        if before.tzinfo is not UTC and before.tzinfo is not None:
            before = before.replace(tzinfo=UTC)
        return super().purge(states, before=before, limit=limit, **options)


class KeepsTheZoneOfNow(MemoryBackend):
    """Times of jobs are stored in UTC, but the now of an insert keeps its time zone."""

    def insert(self, records: Sequence[NewRecord], *, now: Now = None, **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, now=now, **options)
        if now is None:
            return answers
        with self._locked() as store:
            for n, answer in enumerate(answers):
                if answer.created:
                    record = answer.record._replace(created_at=now, updated_at=now)
                    store.records[record.id] = record
                    answers = [*answers[:n], Inserted(record, created=True), *answers[n + 1 :]]
        return answers


class ExtendsByTheWallClock(MemoryBackend):
    """A lease is added to local time, so it is an hour off across a clock change."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        if now is not None and now.tzinfo is not None and lease < _MONTH:
            lease = validation.utc(now + lease) - validation.utc(now)
        return super().extend(claims, lease=lease, now=now)


class TakesNaive(MemoryBackend):
    """A naive now is treated as UTC."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        return super().rescue(limit=limit, now=now and now.replace(tzinfo=now.tzinfo or UTC))


class KeepsZone(Stores):
    """run_at keeps the time zone of the client that inserted it."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        return super()._insert(store, record)

    def _spoiled(self, record: Record) -> Record:
        return record._replace(run_at=record.run_at.astimezone())


class WallClockLease(MemoryBackend):
    """A lease is added to local time."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, now: Now = None, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=_elapsed(lease, now), now=now, **options)

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        return super().extend(claims, lease=_elapsed(lease, now), now=now)


def _elapsed(length: timedelta, now: Now) -> timedelta:
    """Return the real duration until the local clock shows a time that is later by the given one."""
    if now is None or now.tzinfo is None or length <= timedelta(0):
        return length
    shown = now.astimezone().replace(tzinfo=None)
    try:
        return (shown + length).astimezone(UTC) - now
    except (OverflowError, ValueError, OSError):
        return length


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


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("reads local time", "TIME-03", ReadsLocalTime, "B11"),
    MEMORY.mutant("forgets the fold", "TIME-03", ForgetsFold, "B11"),
    MEMORY.mutant("purges by local time", "TIME-03", PurgesLocally, "I4"),
    MEMORY.mutant("keeps the zone of now", "TIME-03", KeepsTheZoneOfNow, "B11"),
    MEMORY.mutant("extends by the wall clock", "TIME-03", ExtendsByTheWallClock),
    MEMORY.mutant("takes naive times", "TIME-04", TakesNaive),
    MEMORY.mutant("keeps zones", "TIME-10", KeepsZone, "B11"),
    MEMORY.mutant("leases by the wall clock", "TIME-12", WallClockLease),
    MEMORY.mutant("delays by the wall clock", "TIME-12", WallClockDelay),
    MEMORY.mutant("retries by the wall clock", "TIME-12", WallClockRetry),
)
