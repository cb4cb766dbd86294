"""Bugs of two steps: a call reads in one step and writes in another, without checking for changes by other clients."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallystick import Filter, Inserted, NewRecord, Record, State
from tallystick.backends import transitions
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from .memory_claims import ClaimsUnguarded

Now = datetime | None


class RescuesInTwoSteps(MemoryBackend):
    """One step finds expired jobs, and another rescues them without a second check."""

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        assert now is not None
        with self._locked() as store:
            running = [store.records[id] for id in store.running]
        expired = [record for record in running if record.lease_until is not None and record.lease_until <= now]
        rescued = [transitions.rescued(record, now) for record in expired[:limit]]
        for record in rescued:
            with self._locked() as store:
                store.put(record)
        return rescued


class CancelsInTwoSteps(MemoryBackend):
    """One step finds the jobs to cancel, and another changes them without a second check."""

    def cancel(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        assert now is not None
        found = [transitions.cancelled(record, now) for record in self.list(filter, limit=1_000)]
        changed = [record for record in found if record is not None][:limit]
        for record in changed:
            with self._locked() as store:
                store.put(record)
        return [record.id for record in changed]


class RequeuesInTwoSteps(MemoryBackend):
    """One step finds the jobs to requeue, and another changes them without a second check."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        assert now is not None
        found = [transitions.requeued(record, now) for record in self.list(filter, limit=1_000)]
        changed = [record for record in found if record is not None][:limit]
        for record in changed:
            with self._locked() as store:
                store.put(record)
        return [record.id for record in changed]


class InsertsInTwoSteps(MemoryBackend):
    """One step checks the id, and another stores the job without a second check."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[Inserted]:
        assert now is not None
        known = self.get([new.id for new in records])
        answers = []
        for new in records:
            record = known.get(new.id) or new.stored(now)
            with self._locked() as store:
                store.put(record)
            answers.append(Inserted(record, created=new.id not in known))
        return answers


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


MUTANTS = (
    Mutant("claims unguarded in threads", "RACE-02", ClaimsUnguarded, ClaimsUnguarded.__doc__ or "", "A1"),
    Mutant("rescues in two steps", "RACE-04", RescuesInTwoSteps, RescuesInTwoSteps.__doc__ or "", "D2"),
    Mutant("rescues what was settled", "RACE-05", RescuesInTwoSteps, RescuesInTwoSteps.__doc__ or "", "D2"),
    Mutant("inserts in two steps", "RACE-07", InsertsInTwoSteps, InsertsInTwoSteps.__doc__ or ""),
    Mutant("cancels in two steps", "RACE-08", CancelsInTwoSteps, CancelsInTwoSteps.__doc__ or "", "D10"),
    Mutant("requeues in two steps", "RACE-09", RequeuesInTwoSteps, RequeuesInTwoSteps.__doc__ or ""),
    Mutant("deletes in two steps", "SCHED-06", DeletesInTwoSteps, DeletesInTwoSteps.__doc__ or "", "D14"),
)
