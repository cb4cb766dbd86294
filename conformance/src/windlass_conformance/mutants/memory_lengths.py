"""Bugs of lengths and lives: the shortest lease, the longest wait, a change of the hour, an answer that lives on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from windlass import Claim, Filter, Hold, Inserted, NewRecord, Record, Stats, guards
from windlass.records import MAX_ATTEMPTS
from windlass_memory import MemoryBackend

from ..mutant import Mutant

Now = datetime | None

_SECOND = timedelta(seconds=1)
_MONTH = timedelta(days=30)


class LeasesASecondAtLeast(MemoryBackend):
    """A shorter lease is taken for one of a second."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=max(guards.positive(lease, "lease"), _SECOND), **options)


class ExtendsByTheWallClock(MemoryBackend):
    """A lease is added to the local time of now's zone, so it is an hour off where the clocks change meanwhile."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        if now is not None and now.tzinfo is not None and lease < _MONTH:
            lease = guards.utc(now + lease) - guards.utc(now)
        return super().extend(claims, lease=lease, now=now)


class CancelsWhatIsNear(MemoryBackend):
    """What is due in more than a month is not looked at by a cancel."""

    def cancel(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        if now is None:
            return super().cancel(filter, limit=limit)
        end = guards.moment(_MONTH, guards.utc(now))
        near = [record.id for record in self.list(filter, limit=self.capabilities.max_batch) if record.run_at <= end]
        return super().cancel(replace(filter, ids=near), limit=limit, now=now)


class RequeuesWithinTheMost(MemoryBackend):
    """A requeue cuts max_attempts to the most that a new job may have, whatever releases gave back."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        ids = super().requeue(filter, limit=limit, now=now)
        with self._locked() as store:
            for id in ids:
                record = store.records[id]
                store.records[id] = record._replace(max_attempts=min(record.max_attempts, MAX_ATTEMPTS[1]))
        return ids


class WakesOne(MemoryBackend):
    """An insert wakes one of those who wait, which may wait for another queue."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        with self._store.changed, patch.object(self._store.changed, "notify_all", self._store.changed.notify):
            return super().insert(records, **options)


class LeavesWithEachClose(MemoryBackend):
    """Each close counts one client less, so a store may be forgotten while others have it open."""

    def close(self) -> None:
        self._closed = False
        super().close()
        self._store.clients = max(self._store.clients, 0)


class GoesOnCounting(MemoryBackend):
    """The counts by kind are one dict, which the next call brings up to date."""

    def stats(self, *, now: Now = None) -> Stats:
        stats = super().stats(now=now)
        living: dict[str, int] = vars(self._store).setdefault("_by_kind", {})
        living.clear()
        living.update(stats.by_kind)
        return stats._replace(by_kind=living)


class SortsTheCallersRecords(MemoryBackend):
    """The list that an insert was given is sorted, so that keys are always locked in one order."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, **options)
        if isinstance(records, list):
            records.sort(key=lambda record: record.id.bytes)
        return answers


class CannotWaitForEver(MemoryBackend):
    """A timeout is handed to a driver in milliseconds, in 32 bits; a longer one is an OverflowError."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        (timeout // timedelta(milliseconds=1)).to_bytes(4, signed=True)
        return super().wait(queues, timeout=timeout)


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "", source)
    for name, clause, make, source in (
        ("leases a second at least", "CLAIM-09", LeasesASecondAtLeast, ""),
        ("extends by the wall clock", "TIME-03", ExtendsByTheWallClock, ""),
        ("cancels what is near", "CANCEL-01", CancelsWhatIsNear, ""),
        ("requeues within the most", "REQUEUE-02", RequeuesWithinTheMost, ""),
        ("wakes one", "WAIT-05", WakesOne, ""),
        ("leaves with each close", "CLOSE-03", LeavesWithEachClose, ""),
        ("goes on counting", "RECORD-02", GoesOnCounting, ""),
        ("sorts the caller's records", "RECORD-02", SortsTheCallersRecords, ""),
        ("cannot wait for ever", "WAIT-07", CannotWaitForEver, ""),
    )
)
