"""Bugs in ending attempts: stale claims, changed fields, rescue, requeue and cancel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from tallystick import Cancel, Claim, Complete, Filter, Hold, Outcome, Record, Release, Retry, State
from tallystick.backends import transitions
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store


class CompletesUnfenced(MemoryBackend):
    """A Complete ends the running attempt, whichever attempt its claim has."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = store.records.get(outcome.claim.id)
        if isinstance(outcome, Complete) and record is not None and record.state is State.RUNNING:
            outcome = Complete(record.claim, outcome.result)
        return super()._settle(store, outcome, now)


class CompletesTwice(MemoryBackend):
    """A second outcome of one batch overwrites the first."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = store.records.get(outcome.claim.id)
        if record is not None and record.state is State.COMPLETED and record.attempt == outcome.claim.attempt:
            store.put(transitions.settled(record, outcome, now))
            return True
        return super()._settle(store, outcome, now)


class AnswersByIdentity(MemoryBackend):
    """A second outcome is recognized only if it is another object."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        answers = super().settle(outcomes, transaction=transaction, now=now)
        first = {id(outcome): answer for outcome, answer in reversed([*zip(outcomes, answers, strict=True)])}
        return [first[id(outcome)] for outcome in outcomes]


class ExtendsStale(MemoryBackend):
    """A claim of an earlier attempt extends the lease of the current one."""

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = store.records.get(claim.id)
        if record is not None and record.attempt > claim.attempt:
            claim = record.claim
        return super()._extend(store, claim, until, now)


class LosesExpired(MemoryBackend):
    """An expired lease cannot be extended."""

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = store.records.get(claim.id)
        if record is not None and record.lease_until is not None and record.lease_until <= now:
            return Hold.LOST
        return super()._extend(store, claim, until, now)


class _AfterSettle(MemoryBackend):
    """A settle that changes the record that it stores."""

    of: ClassVar[type[Outcome]]

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        applied = super()._settle(store, outcome, now)
        if applied and isinstance(outcome, self.of):
            store.put(self._spoiled(store.records[outcome.claim.id]))
        return applied

    def _spoiled(self, record: Record) -> Record:
        raise NotImplementedError


class ResetsAttempt(_AfterSettle):
    """A Release lowers attempt instead of raising max_attempts."""

    of = Release

    def _spoiled(self, record: Record) -> Record:
        return record._replace(attempt=record.attempt - 1, max_attempts=record.max_attempts - 1)


class DropsPriority(_AfterSettle):
    """A retry sets the priority to zero."""

    of = Retry

    def _spoiled(self, record: Record) -> Record:
        return record._replace(priority=0)


class KeepsLease(_AfterSettle):
    """A cancelled job keeps its lease."""

    of = Cancel

    def _spoiled(self, record: Record) -> Record:
        return record._replace(lease_until=record.finished_at)


class ForgetsCancel(MemoryBackend):
    """A Retry reschedules a job whose cancellation was requested."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = store.records.get(outcome.claim.id)
        if record is not None and record.cancel_requested and isinstance(outcome, Retry | Release):
            store.put(record._replace(cancel_requested=False))
        return super()._settle(store, outcome, now)


class CancelBeatsComplete(MemoryBackend):
    """A Complete cancels a job whose cancellation was requested, and loses its result."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = store.records.get(outcome.claim.id)
        if record is not None and record.cancel_requested and isinstance(outcome, Complete):
            outcome = Cancel(outcome.claim)
        return super()._settle(store, outcome, now)


class RescuesLive(MemoryBackend):
    """A rescue ends every running job, even if its lease has not expired."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        with self._locked() as store:
            for id in store.running:
                store.records[id] = store.records[id]._replace(lease_until=now)
        return super().rescue(limit=limit, now=now)


class RescuesForever(MemoryBackend):
    """A rescue ignores max_attempts."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        rescued = super().rescue(limit=limit, now=now)
        endless = [r._replace(state=State.RETRYING, finished_at=None) if r.state == "discarded" else r for r in rescued]
        with self._locked() as store:
            for record in endless:
                store.put(record)
        return endless


class KeepsFinishedAt(MemoryBackend):
    """A requeued job keeps its finished_at."""

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        with self._locked() as store:
            finished = {record.id: record.finished_at for record in store.records.values()}
        changed = super().requeue(filter, limit=limit, now=now)
        with self._locked() as store:
            for id in changed:
                store.records[id] = store.records[id]._replace(finished_at=finished[id])
        return changed


class RequeuesWithoutAttempt(MemoryBackend):
    """A requeued job that has used all its attempts gets no further one."""

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        with self._locked() as store:
            most = {record.id: record.max_attempts for record in store.records.values()}
        changed = super().requeue(filter, limit=limit, now=now)
        with self._locked() as store:
            for id in changed:
                store.put(store.records[id]._replace(max_attempts=most[id]))
        return changed


class DeletesRunning(MemoryBackend):
    """delete removes running jobs too."""

    def delete(self, filter: Filter, *, limit: int) -> Sequence[Any]:
        doomed = list(super().delete(filter, limit=limit))
        with self._locked() as store:
            for id in list(store.running):
                if len(doomed) < limit and filter.fits(store.records[id]):
                    store.remove(store.records[id])
                    store.running.discard(id)
                    doomed.append(id)
        return doomed


class PurgesByCreation(MemoryBackend):
    """Retention counts from created_at."""

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        super().purge([], before=before, limit=limit)
        with self._locked() as store:
            old = [r for r in store.records.values() if r.state in states and r.created_at < before][:limit]
            for record in old:
                store.remove(record)
        return len(old)


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


MUTANTS = (
    Mutant("completes unfenced", "SETTLE-06", CompletesUnfenced, "A Complete with a stale claim is applied.", "D1"),
    Mutant("completes twice", "SETTLE-08", CompletesTwice, "A second outcome overwrites the first.", "D8"),
    Mutant("answers by identity", "SETTLE-08", AnswersByIdentity, "The same outcome is applied twice."),
    Mutant("settles in two steps", "RACE-03", SettlesInTwoSteps, "The claim is checked in an earlier step.", "D2"),
    Mutant("extends stale claims", "LEASE-02", ExtendsStale, "A stale heartbeat extends the new lease.", "D4"),
    Mutant("loses expired leases", "LEASE-04", LosesExpired, "An expired lease cannot be extended.", "J8"),
    Mutant("resets the attempt", "SETTLE-04", ResetsAttempt, "A Release lowers attempt.", "D5"),
    Mutant("drops the priority", "SETTLE-02", DropsPriority, "A Retry sets priority to zero.", "G7"),
    Mutant("keeps the lease", "SETTLE-05", KeepsLease, "A cancelled job keeps its lease.", "N5"),
    Mutant("forgets the cancel", "SETTLE-09", ForgetsCancel, "A Retry reschedules a job to be cancelled.", "D10"),
    Mutant("cancels what completed", "SETTLE-10", CancelBeatsComplete, "A requested cancel loses a result.", "D16"),
    Mutant("rescues the living", "RESCUE-01", RescuesLive, "A job with a valid lease is rescued.", "J7"),
    Mutant("rescues for ever", "RESCUE-03", RescuesForever, "A rescue ignores max_attempts.", "K4"),
    Mutant("keeps finished_at", "REQUEUE-01", KeepsFinishedAt, "A requeued job keeps finished_at.", "D13"),
    Mutant("leaves no attempt", "REQUEUE-02", RequeuesWithoutAttempt, "A requeued job has no attempt left.", "D13"),
    Mutant("deletes the running", "DELETE-01", DeletesRunning, "delete removes running jobs.", "D14"),
    Mutant("purges by creation", "PURGE-01", PurgesByCreation, "Retention counts from created_at.", "I1"),
)
