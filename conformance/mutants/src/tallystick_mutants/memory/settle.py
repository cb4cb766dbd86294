"""Bugs in settle: stale claims, repeated outcomes, fields and results."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from tallystick import Cancel, Complete, Outcome, Record, Release, Retry, State
from tallystick.backends import transitions
from tallystick.contract.records import MAX_ATTEMPTS
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Now, Remembers

_PART = 128


class StopsAtStale(MemoryBackend):
    """A settle stops at a stale claim, and does not apply the later outcomes."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        answers: list[bool] = []
        for outcome in outcomes:
            answers += super().settle([outcome], transaction=transaction, now=now) if all(answers) else [False]
        return answers


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


class DropsPriority(_AfterSettle):
    """A retry sets the priority to zero."""

    of = Retry

    def _spoiled(self, record: Record) -> Record:
        return record._replace(priority=0)


class RetriesByItsClock(MemoryBackend):
    """The delay of a Retry counts from the client's clock, not from now."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        return super().settle([_by_clock(outcome) for outcome in outcomes], transaction=transaction, now=now)


def _by_clock(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Retry) and not isinstance(outcome.run_at, datetime) and outcome.run_at.days < 4_000:
        return replace(outcome, run_at=datetime.now().astimezone() + outcome.run_at)
    return outcome


class ResetsAttempt(_AfterSettle):
    """A Release lowers attempt instead of raising max_attempts."""

    of = Release

    def _spoiled(self, record: Record) -> Record:
        return record._replace(attempt=record.attempt - 1, max_attempts=record.max_attempts - 1)


class CapsMaxAttempts(MemoryBackend):
    """A Release does not raise max_attempts above the maximum for inserts."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        applied = super().settle(outcomes, transaction=transaction, now=now)
        with self._locked() as store:
            for outcome in outcomes:
                record = store.records.get(outcome.claim.id)
                if isinstance(outcome, Release) and record is not None:
                    store.put(record._replace(max_attempts=min(record.max_attempts, MAX_ATTEMPTS[1])))
        return applied


class KeepsLease(_AfterSettle):
    """A cancelled job keeps its lease."""

    of = Cancel

    def _spoiled(self, record: Record) -> Record:
        return record._replace(lease_until=record.finished_at)


class CompletesUnfenced(MemoryBackend):
    """A Complete ends the running attempt, whichever attempt its claim has."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = store.records.get(outcome.claim.id)
        if isinstance(outcome, Complete) and record is not None and record.state is State.RUNNING:
            outcome = Complete(record.claim, outcome.result)
        return super()._settle(store, outcome, now)


class SettlesTheRemoved(Remembers):
    """settle returns True for the claim of a deleted job."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        applied = super().settle(outcomes, transaction=transaction, now=now)
        claims = {record.claim for record in self._removed.values()}
        return [one or outcome.claim in claims for one, outcome in zip(applied, outcomes, strict=True)]


class SettlesPartsBackwards(MemoryBackend):
    """The results of a long settle are in parts, in reverse order of the parts."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        applied = super().settle(outcomes, transaction=transaction, now=now)
        return [*applied[_PART:], *applied[:_PART]]


class AnswersTrue(MemoryBackend):
    """settle returns results for applied outcomes only."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        return [answer for answer in super().settle(outcomes, transaction=transaction, now=now) if answer]


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


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("stops at a stale claim", "SETTLE-01", StopsAtStale, "D14"),
    MEMORY.mutant("drops the priority", "SETTLE-02", DropsPriority, "G7"),
    MEMORY.mutant("retries by its own clock", "SETTLE-02", RetriesByItsClock, "B7"),
    MEMORY.mutant("resets the attempt", "SETTLE-04", ResetsAttempt, "D5"),
    MEMORY.mutant("caps max_attempts", "SETTLE-04", CapsMaxAttempts),
    MEMORY.mutant("keeps the lease", "SETTLE-05", KeepsLease, "N5"),
    MEMORY.mutant("completes unfenced", "SETTLE-06", CompletesUnfenced, "D1"),
    MEMORY.mutant("settles the removed", "SETTLE-06", SettlesTheRemoved),
    MEMORY.mutant("settles parts backwards", "SETTLE-06", SettlesPartsBackwards),
    MEMORY.mutant("answers what it applied", "SETTLE-07", AnswersTrue, "H4"),
    MEMORY.mutant("completes twice", "SETTLE-08", CompletesTwice, "D8"),
    MEMORY.mutant("answers by identity", "SETTLE-08", AnswersByIdentity),
    MEMORY.mutant("forgets the cancel", "SETTLE-09", ForgetsCancel, "D10"),
    MEMORY.mutant("cancels what completed", "SETTLE-10", CancelBeatsComplete, "D16"),
)
