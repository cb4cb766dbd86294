"""Bugs in limits, in the choice of records, and in results."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import (
    CLAIMABLE,
    FINAL,
    Filter,
    Inserted,
    InvalidArgument,
    NewRecord,
    Outcome,
    QueueStats,
    Record,
    State,
    Stats,
    validation,
)
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.lane import place
from tallystick_memory.store import Store

Now = datetime | None


class DelaysFromMidnight(MemoryBackend):
    """A delay counts from the start of now's second."""

    def insert(self, records: Sequence[NewRecord], *, now: Now = None, **options: Any) -> Sequence[Inserted]:
        if now is not None and now.tzinfo is not None:
            records = [self._from(new, now.replace(second=0, microsecond=0)) for new in records]
        return super().insert(records, now=now, **options)

    def _from(self, new: NewRecord, start: datetime) -> NewRecord:
        short = isinstance(new.run_at, timedelta) and new.run_at < timedelta(days=1_000)
        return replace(new, run_at=start + new.run_at) if short else new  # type: ignore[operator]


class ForgetsKeys(MemoryBackend):
    """Two jobs can hold the same key if the holder is waiting."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        holder = store.holder(record.unique_key)
        if holder is not None and holder.state is State.PENDING and record.id not in store.records:
            store.put(record)
            return Inserted(record, created=True)
        return super()._insert(store, record)


class AnswersTrue(MemoryBackend):
    """settle returns results for applied outcomes only."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        return [answer for answer in super().settle(outcomes, transaction=transaction, now=now) if answer]


class CountsKnownOnly(MemoryBackend):
    """stats omits queues without records."""

    def stats(self, *, now: Now = None) -> Stats:
        stats = super().stats(now=now)
        return stats._replace(by_queue={name: queue for name, queue in stats.by_queue.items() if queue.total})


class SaysUnpaused(MemoryBackend):
    """stats reports no queue as paused."""

    def stats(self, *, now: Now = None) -> Stats:
        stats = super().stats(now=now)
        return stats._replace(by_queue={name: QueueStats(*queue[:3], False) for name, queue in stats.by_queue.items()})


class StopsRunning(MemoryBackend):
    """cancel ends running jobs."""

    def cancel(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        changed = super().cancel(filter, limit=limit, now=now)
        with self._locked() as store:
            for id in changed:
                if store.records[id].state is State.RUNNING:
                    ended = store.records[id]._replace(state=State.CANCELLED, finished_at=now, lease_until=None)
                    store.put(ended)
        return changed


class _LimitsFirst(MemoryBackend):
    """The limit counts all matching records, including those that the call cannot change."""

    def _first(self, filter: Filter, limit: int) -> Filter:
        found = super().list(filter, limit=limit)
        return replace(filter, ids=[record.id for record in found])


class CancelsFewer(_LimitsFirst):
    """cancel counts records toward the limit that it cannot change."""

    def cancel(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        return super().cancel(self._first(filter, limit), limit=limit, now=now)


class RequeuesFewer(_LimitsFirst):
    """requeue counts records toward the limit that it cannot change."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        return super().requeue(self._first(filter, limit), limit=limit, now=now)


class DeletesFewer(_LimitsFirst):
    """delete counts records toward the limit that it cannot change."""

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return super().delete(self._first(filter, limit), limit=limit)


class RequeuesPending(MemoryBackend):
    """requeue makes pending jobs due now."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        changed = list(super().requeue(filter, limit=limit, now=now))
        with self._locked() as store:
            for record in list(store.records.values()):
                new = record.state is State.PENDING and record.id not in changed and filter.fits(record)
                if new and len(changed) < limit and now is not None:
                    store.put(record._replace(run_at=now, updated_at=now))
                    changed.append(record.id)
        return changed


class RestoresRepeated(MemoryBackend):
    """A repeated insert makes a finished job wait again."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        known = store.records.get(record.id)
        if known is not None and known.finished_at is not None:
            store.put(record)
            return Inserted(record, created=False)
        return super()._insert(store, record)


class RefusesEmpty(MemoryBackend):
    """An empty batch is rejected."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        if not outcomes and not self._lifetime.has_ended:
            raise InvalidArgument("there is nothing to settle")
        return super().settle(outcomes, transaction=transaction, now=now)


class KeepsSeconds(MemoryBackend):
    """finished_at is rounded down to seconds."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        return super()._settle(store, outcome, now.replace(microsecond=0))


class DeletesKeyless(MemoryBackend):
    """delete skips finished jobs that still hold a key."""

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        found = self.list(filter, limit=self.capabilities.max_batch)
        free = [r.id for r in found if r.state not in FINAL or r.unique_until == "finished" or r.unique_key is None]
        return super().delete(replace(filter, ids=free), limit=limit)


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


class WakesOthersOnly(MemoryBackend):
    """A client's own insert does not end its waits."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._waits = 0

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        if super().wait(queues, timeout=timedelta(0)):
            return True
        self._waits += 1
        try:
            return super().wait(queues, timeout=timeout)
        finally:
            self._waits -= 1

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        with self._locked() as store:
            notify, store.changed.notify_all = store.changed.notify_all, lambda: None  # type: ignore[method-assign]
            try:
                return super().insert(records, **options)
            finally:
                store.changed.notify_all = notify  # type: ignore[method-assign]


MUTANTS = (
    Mutant("delays from the minute", "INSERT-02", DelaysFromMidnight, "A delay counts from a rounded now."),
    Mutant("forgets waiting holders", "UNIQUE-01", ForgetsKeys, "A waiting job does not hold its key."),
    Mutant("answers what it applied", "SETTLE-07", AnswersTrue, "settle omits outcomes that it rejects.", "H4"),
    Mutant("leaves out empty queues", "STATS-03", CountsKnownOnly, "stats omits queues without records.", "E7"),
    Mutant("does not tell of pauses", "STATS-03", SaysUnpaused, "stats reports no queue as paused."),
    Mutant("ends what runs", "CANCEL-02", StopsRunning, "cancel ends running jobs."),
    Mutant("cancels fewer", "CANCEL-04", CancelsFewer, "The limit counts jobs that cannot be cancelled."),
    Mutant("requeues fewer", "REQUEUE-05", RequeuesFewer, "The limit counts jobs that cannot be requeued."),
    Mutant("deletes fewer", "DELETE-02", DeletesFewer, "The limit counts jobs that cannot be deleted."),
    Mutant("requeues the pending", "REQUEUE-03", RequeuesPending, "requeue makes pending jobs due now."),
    Mutant("restores the repeated", "INSERT-05", RestoresRepeated, "A repeated insert makes a finished job wait."),
    Mutant("refuses the empty", "BATCH-01", RefusesEmpty, "An empty settle is rejected."),
    Mutant("keeps seconds", "TIME-11", KeepsSeconds, "finished_at is rounded down to seconds."),
    Mutant("deletes the keyless", "DELETE-02", DeletesKeyless, "A job that still holds its key cannot be deleted."),
    Mutant("leaves out the paused", "CLAIM-07", LeavesOutThePaused, "Jobs of paused queues count toward the limit."),
    Mutant("wakes others only", "WAIT-07", WakesOthersOnly, "A client's insert does not end its own wait."),
)
