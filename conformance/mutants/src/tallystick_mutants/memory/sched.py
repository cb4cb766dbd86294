"""Bugs of two steps that fixed schedules reproduce: each call is correct alone, and wrong if another interrupts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import compress
from typing import Any
from uuid import UUID

from tallystick import Claim, Filter, Inserted, NewRecord, Outcome, ProgressReport, Record, Release, State, validation
from tallystick.backends import calls, transitions
from tallystick.contract.state import FINAL
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class SettlesLater(MemoryBackend):
    """A settle checks the claim, releases the lock, and then ends the attempt."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Any = None
    ) -> Sequence[bool]:
        held = [self._hold(outcome.claim) for outcome in outcomes]
        with self._locked() as store:
            for outcome, record in zip(outcomes, held, strict=True):
                if record is not None:
                    store.put(transitions.settled(record, outcome, now))
        return [record is not None for record in held]

    def _hold(self, claim: Claim) -> Record | None:
        record = self.get([claim.id]).get(claim.id)
        return record if record and record.state is State.RUNNING and record.attempt == claim.attempt else None


class ReportsLater(MemoryBackend):
    """A report checks the claim, releases the lock, and then sets the progress of the job by its id."""

    def report_progress(self, reports: Sequence[ProgressReport], *, now: Any = None) -> Sequence[bool]:
        call = calls.report_progress(reports, self.capabilities, now=now)
        held = [self._holds(report.claim) for report in reports]
        with self._locked() as store:
            for report in compress(reports, held):
                store.put(transitions.reported(store.records[report.claim.id], call.progress(report), call.now))
        return held

    def _holds(self, claim: Claim) -> bool:
        with self._locked() as store:
            record = store.records.get(claim.id)
        return record is not None and transitions.is_current(record, claim.attempt)


class RescuesASnapshot(MemoryBackend):
    """A rescue finds expired jobs, then releases the lock, and ends them by id."""

    def rescue(self, *, limit: int, now: Any = None) -> Sequence[Record]:
        with self._locked() as store:
            running = [store.records[id] for id in store.running]
            expired = [r for r in running if r.lease_until is not None and r.lease_until <= now][:limit]
        with self._locked() as store:
            rescued = [transitions.rescued(store.records.get(record.id, record), now) for record in expired]
            for record in rescued:
                store.put(record)
        return rescued


class ChecksKeysFirst(MemoryBackend):
    """An insert looks up the holder of its key, releases the lock, and then stores the job."""

    def insert(self, records: Sequence[NewRecord], *, transaction: Any = None, now: Any = None) -> Any:
        answers = [self._met(record) for record in records]
        with self._locked() as store:
            for n, new in enumerate(records):
                if answers[n] is None:
                    store.put(new.stored(now))
                    answers[n] = Inserted(store.records[new.id], created=True)
        return answers

    def _met(self, new: NewRecord) -> Inserted | None:
        with self._locked() as store:
            met = store.records.get(new.id) or store.holder(new.unique_key)
        return None if met is None else Inserted(met, created=False)


class ForgetsCancels(MemoryBackend):
    """A cancel writes back the record that it had read before."""

    def cancel(self, filter: Filter, *, limit: int, now: Any = None) -> Any:
        found = self.list(filter, limit=limit)
        changes = [(record, transitions.cancelled(record, now)) for record in found]
        with self._locked() as store:
            for record, change in changes:
                if change is not None and store.records[record.id].state is record.state:
                    store.put(change)
        return [record.id for record, change in changes if change is not None]


class DeletesInTwoSteps(MemoryBackend):
    """One step finds the jobs to delete, and another removes them without a second check."""

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        idle = [r for r in self.list(filter, limit=1_000) if r.state is not State.RUNNING][:limit]
        for record in idle:
            with self._locked() as store:
                if record.id in store.records:
                    store.remove(record)
                    store.running.discard(record.id)
        return [record.id for record in idle]


class DeletesLater(MemoryBackend):
    """A delete removes jobs by the ids that it had found before."""

    def delete(self, filter: Filter, *, limit: int) -> Any:
        found = [record for record in self.list(filter, limit=limit) if record.state is not State.RUNNING]
        with self._locked() as store:
            for record in found:
                if record.id in store.records:
                    store.remove(store.records[record.id])
        return [record.id for record in found]


class PurgesLater(MemoryBackend):
    """A purge selects jobs under the lock, releases the lock, and then deletes them."""

    def purge(self, states: Sequence[State], *, before: datetime, limit: int, **options: Any) -> int:
        validation.final(states)
        validation.limit(limit)
        before, purged = validation.utc(before, "before"), 0
        with self._locked() as store:
            ended = [r for r in store.records.values() if r.state in states and r.state in FINAL]
            found = [r.id for r in ended if r.finished_at is not None and r.finished_at < before][:limit]
        for id in found:
            with self._locked() as store:
                if id in store.records:
                    store.remove(store.records[id])
                    store.running.discard(id)
                    purged += 1
        return purged


class ReadsPausesFirst(MemoryBackend):
    """A claim reads the paused queues in an earlier step, and reuses the list after a claim that reached its limit."""

    _paused: Any = None

    def claim(self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: Any = None) -> Any:
        if self._paused is None:
            self._paused = {queue.name for queue in self.queues() if queue.paused}
        with self._locked() as store:
            before = set(store.paused)
            store.paused = set(self._paused)
            claimed = super().claim(queues, limit=limit, worker=worker, lease=lease, now=now)
            store.paused = before
        self._paused = None if len(claimed) < limit else self._paused
        return claimed


class ReleasesLater(MemoryBackend):
    """A Release computes the new record from an old copy, and writes it without a second check."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Any = None
    ) -> Sequence[bool]:
        if not any(isinstance(outcome, Release) for outcome in outcomes):
            return super().settle(outcomes, transaction=transaction, now=now)
        found = self.get([outcome.claim.id for outcome in outcomes])
        ends = {
            outcome.claim: transitions.settled(found[outcome.claim.id], outcome, now)
            for outcome in outcomes
            if isinstance(outcome, Release) and outcome.claim.id in found
        }
        answers = list(super().settle(outcomes, transaction=transaction, now=now))
        with self._locked() as store:
            for outcome, applied in zip(outcomes, answers, strict=True):
                if applied and outcome.claim in ends:
                    store.put(ends[outcome.claim])
        return answers


class StoresOneByOne(MemoryBackend):
    """A batch is stored job by job, with a separate lock for each, so that other clients see a part of it."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        if not _are_fit(records):
            return super().insert(records, **options)
        return [answer for record in records for answer in super(StoresOneByOne, self).insert([record], **options)]


def _are_fit(records: Sequence[NewRecord]) -> bool:
    return 0 < len(records) < 100 and max(len(record.payload) for record in records) < 1_000


class ListsInTwoLooks(MemoryBackend):
    """list finds ids under the lock, and reads their records under a second lock; some may be deleted in between."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        ids = [record.id for record in super().list(filter, limit=limit, after=after, **options)]
        found = self.get(ids) if len(ids) <= self.capabilities.max_batch else {}
        return [found[id] for id in ids if id in found]


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("settles later", "SCHED-02", SettlesLater, "A7"),
    MEMORY.mutant("reports later", "SCHED-03", ReportsLater),
    MEMORY.mutant("rescues a snapshot", "SCHED-03", RescuesASnapshot, "D2"),
    MEMORY.mutant("checks keys first", "SCHED-04", ChecksKeysFirst, "F1"),
    MEMORY.mutant("forgets cancels that it meets", "SCHED-05", ForgetsCancels, "D10"),
    MEMORY.mutant("deletes in two steps", "SCHED-06", DeletesInTwoSteps, "D14"),
    MEMORY.mutant("deletes later", "SCHED-06", DeletesLater, "D14"),
    MEMORY.mutant("purges later", "SCHED-06", PurgesLater),
    MEMORY.mutant("reads pauses first", "SCHED-07", ReadsPausesFirst),
    MEMORY.mutant("releases later", "SCHED-08", ReleasesLater),
    MEMORY.mutant("stores one by one", "SCHED-08", StoresOneByOne, "H2"),
    MEMORY.mutant("lists in two looks", "SCHED-08", ListsInTwoLooks),
)
