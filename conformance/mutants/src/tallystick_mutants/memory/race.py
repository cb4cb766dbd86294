"""Bugs of two steps: a call reads in one step and writes in another, without checking for changes by other clients."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import CLAIMABLE, Filter, Inserted, NewRecord, Outcome, Record, State, validation
from tallystick.backends import transitions
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


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


class SharesAnswers(MemoryBackend):
    """The threads of a client share the list of an insert's results."""

    _answers: Any = ()

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        self._answers = []
        for answer in super().insert(records, **options):
            self._answers.append(answer)
        return list(self._answers[: len(records)])


class SharesTheMoment(MemoryBackend):
    """The threads of a client share the `now` of a settle."""

    _moment: Now = None

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        self._moment = now
        validation.within(len(outcomes), 0, self.capabilities.max_batch, "the number of outcomes")
        return super().settle(outcomes, now=self._moment)


class SettlesInTwoSteps(MemoryBackend):
    """One step checks the claim, and another stores the outcome."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        assert now is not None
        answers = []
        for outcome in outcomes:
            with self._locked() as store:
                record = store.records[outcome.claim.id]
            if record.state is State.RUNNING and record.attempt == outcome.claim.attempt:
                with self._locked() as store:
                    store.put(transitions.settled(record, outcome, now))
                answers.append(True)
            else:
                answers.append(False)
        return answers


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


class ChecksThenInserts(MemoryBackend):
    """One step checks the unique key, and another stores the job."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        answers = []
        for new in records:
            with self._locked() as store:
                holder = store.records.get(new.id) or store.holder(new.unique_key)
            if holder is not None:
                answers.append(Inserted(holder, created=False))
                continue
            answers += super().insert([replace(new, unique_key=None)], transaction=transaction, now=now)
            with self._locked() as store:
                answers[-1] = Inserted(answers[-1].record._replace(unique_key=new.unique_key), created=True)
                store.put(answers[-1].record)
                store.take_key(answers[-1].record)
        return answers


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


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("claims unguarded", "RACE-01", ClaimsUnguarded, "A1"),
    MEMORY.mutant("claims unguarded in threads", "RACE-02", ClaimsUnguarded, "A1"),
    MEMORY.mutant("shares answers", "RACE-02", SharesAnswers),
    MEMORY.mutant("shares the moment", "RACE-02", SharesTheMoment),
    MEMORY.mutant("settles in two steps", "RACE-03", SettlesInTwoSteps, "D2"),
    MEMORY.mutant("rescues in two steps", "RACE-04", RescuesInTwoSteps, "D2"),
    MEMORY.mutant("rescues what was settled", "RACE-05", RescuesInTwoSteps, "D2"),
    MEMORY.mutant("checks, then inserts", "RACE-06", ChecksThenInserts, "F1"),
    MEMORY.mutant("inserts in two steps", "RACE-07", InsertsInTwoSteps),
    MEMORY.mutant("cancels in two steps", "RACE-08", CancelsInTwoSteps, "D10"),
    MEMORY.mutant("requeues in two steps", "RACE-09", RequeuesInTwoSteps),
)
