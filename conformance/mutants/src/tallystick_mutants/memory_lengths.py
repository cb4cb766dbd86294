"""Bugs in durations and lifetimes: short leases, long waits, clock changes, and results that change later."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from tallystick import Claim, Hold, Inserted, NewRecord, Record, Stats, validation
from tallystick.backends.lifetime import Lifetime
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

Now = datetime | None

_SECOND = timedelta(seconds=1)
_MONTH = timedelta(days=30)


class LeasesASecondAtLeast(MemoryBackend):
    """A lease of less than a second is treated as one second."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=max(validation.positive(lease, "lease"), _SECOND), **options)


class ExtendsByTheWallClock(MemoryBackend):
    """A lease is added to local time, so it is an hour off across a clock change."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        if now is not None and now.tzinfo is not None and lease < _MONTH:
            lease = validation.utc(now + lease) - validation.utc(now)
        return super().extend(claims, lease=lease, now=now)


class WakesOne(MemoryBackend):
    """An insert wakes only one waiting thread, which may wait for another queue."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        with self._store.changed, patch.object(self._store.changed, "notify_all", self._store.changed.notify):
            return super().insert(records, **options)


class LeavesWithEachClose(MemoryBackend):
    """Each close reduces the count of clients, so a repeated close removes a store that others still use."""

    def close(self) -> None:
        self._lifetime = Lifetime()
        super().close()
        self._store.clients = max(self._store.clients, 0)


class GoesOnCounting(MemoryBackend):
    """The counts by kind are one shared dict, which the next call changes."""

    def stats(self, *, now: Now = None) -> Stats:
        stats = super().stats(now=now)
        living: dict[str, int] = vars(self._store).setdefault("_by_kind", {})
        living.clear()
        living.update(stats.by_kind)
        return stats._replace(by_kind=living)


class CannotWaitForEver(MemoryBackend):
    """A timeout is passed to a driver as 32-bit milliseconds; a longer one raises OverflowError."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        (timeout // timedelta(milliseconds=1)).to_bytes(4, signed=True)
        return super().wait(queues, timeout=timeout)


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "", source)
    for name, clause, make, source in (
        ("leases a second at least", "CLAIM-09", LeasesASecondAtLeast, ""),
        ("extends by the wall clock", "TIME-03", ExtendsByTheWallClock, ""),
        ("wakes one", "WAIT-05", WakesOne, ""),
        ("leaves with each close", "CLOSE-03", LeavesWithEachClose, ""),
        ("goes on counting", "RECORD-02", GoesOnCounting, ""),
        ("cannot wait for ever", "WAIT-07", CannotWaitForEver, ""),
    )
)
