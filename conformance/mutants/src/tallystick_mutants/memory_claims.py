"""Bugs in claims: which jobs they take, in which order, and for which caller."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tallystick import CLAIMABLE, Record, State
from tallystick.backends import transitions
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

_TICK = timedelta(microseconds=1)


class _Chooses(MemoryBackend):
    """A claim that selects jobs with `_choice` and sorts them by `_key`."""

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        super().claim([], limit=limit, worker=worker, lease=lease, now=now)
        assert now is not None
        with self._locked() as store:
            found = [record for record in store.records.values() if self._choice(record, queues, now)]
            chosen = [
                transitions.claimed(record, worker, now + lease, now) for record in sorted(found, key=self._key)[:limit]
            ]
            for record in chosen:
                store.put(record)
        return chosen

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        paused = self._store.paused
        waits = record.state in CLAIMABLE and record.run_at <= now
        return waits and record.queue in queues and record.queue not in paused

    def _key(self, record: Record) -> Any:
        return (-record.priority, record.run_at, record.id.int)


class ClaimsBeforeDue(_Chooses):
    """A claim ignores run_at."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        return super()._choice(record, queues, max(now, record.run_at))


class ClaimsLate(_Chooses):
    """A claim uses `<` instead of `<=`."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        return record.run_at < now and super()._choice(record, queues, now)


class ClaimsAgain(_Chooses):
    """A running job stays claimable."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        seen = record._replace(state=State.PENDING) if record.state is State.RUNNING else record
        return super()._choice(seen, queues, now)


class ClaimsOtherQueues(_Chooses):
    """A claim ignores the queue."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        return super()._choice(record, [record.queue], now)


class RetriesWhilePaused(_Chooses):
    """A pause holds back pending jobs only, not retrying ones."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        retries = record.state == "retrying" and record.run_at <= now and record.queue in queues
        return retries or super()._choice(record, queues, now)


class SortsByTime(_Chooses):
    """A claim sorts by run_at before priority."""

    def _key(self, record: Record) -> Any:
        return (record.run_at, -record.priority, record.id.int)


class SortsWithoutId(_Chooses):
    """Jobs of equal priority and run_at are claimed in insertion order."""

    def _key(self, record: Record) -> Any:
        return (-record.priority, record.run_at)


class StallsBehindFuture(_Chooses):
    """A claim stops at the job with the highest priority if it is not due, so future jobs block due ones."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        others = self._store.records.values()
        held_up = any(o.priority > record.priority and o.run_at > now and o.state in CLAIMABLE for o in others)
        return not held_up and super()._choice(record, queues, now)


class ClaimsUnguarded(MemoryBackend):
    """One step finds due jobs, and another claims them without a second check."""

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        assert now is not None
        with self._locked() as store:
            due = [r for r in store.records.values() if r.state in CLAIMABLE and r.run_at <= now and r.queue in queues]
        chosen = [transitions.claimed(record, worker, now + lease, now) for record in due[:limit]]
        for record in chosen:
            with self._locked() as store:
                store.put(record)
        return chosen


class IgnoresLease(MemoryBackend):
    """Each lease lasts one minute."""

    def claim(self, queues: Sequence[str], *, lease: timedelta, **options: Any) -> Sequence[Record]:
        return super().claim(queues, lease=timedelta(minutes=1), **options)


class RunsEarly(MemoryBackend):
    """Due times are rounded down to milliseconds."""

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        if now is not None:
            now += timedelta(microseconds=999 - now.microsecond % 1000)
        return super().claim(queues, now=now, **options)


MUTANTS = (
    Mutant("claims before due", "CLAIM-02", ClaimsBeforeDue, "A claim ignores run_at.", "B1"),
    Mutant("claims late", "TIME-01", ClaimsLate, "A claim uses `<` instead of `<=`.", "B2"),
    Mutant("claims again", "CLAIM-01", ClaimsAgain, "A running job stays claimable.", "A5"),
    Mutant("claims other queues", "CLAIM-03", ClaimsOtherQueues, "A claim ignores the queue.", "J4"),
    Mutant("retries while paused", "CLAIM-04", RetriesWhilePaused, "A pause holds back pending jobs only.", "E4"),
    Mutant("sorts by time", "CLAIM-05", SortsByTime, "A claim sorts by run_at before priority.", "G1"),
    Mutant("sorts without id", "CLAIM-05", SortsWithoutId, "Equal jobs are claimed in insertion order.", "G2"),
    Mutant("stalls behind the future", "CLAIM-07", StallsBehindFuture, "Future jobs block due ones.", "G8"),
    Mutant("ignores the lease", "CLAIM-09", IgnoresLease, "Each lease lasts one minute.", "J1"),
    Mutant("runs early", "TIME-06", RunsEarly, "A due time is rounded down before the check.", "B5"),
    Mutant("claims unguarded", "RACE-01", ClaimsUnguarded, "Two steps find the jobs and claim them.", "A1"),
)
