"""Bugs in the errors of attempts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from tallystick import AttemptError, Discard, Failure, Filter, Outcome, Record, Retry
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import AnswerT, Now


class _Keeps(MemoryBackend):
    """Changes the errors of each record that a settle or rescue stores."""

    def settle(self, outcomes: Sequence[Outcome], **options: Any) -> Sequence[bool]:
        return self._keeping(lambda: super(_Keeps, self).settle(outcomes, **options))

    def rescue(self, **options: Any) -> Sequence[Record]:
        return self._keeping(lambda: super(_Keeps, self).rescue(**options))

    def _keeping(self, change: Callable[[], AnswerT]) -> AnswerT:
        before = dict(self._store.records)
        answer = change()
        with self._locked() as store:
            for id, record in list(store.records.items()):
                if id in before and record.errors != before[id].errors:
                    store.records[id] = record._replace(errors=self._kept(before[id], record))
        return answer

    def _kept(self, before: Record, after: Record) -> tuple[AttemptError, ...]:
        raise NotImplementedError


class ForgetsRescues(_Keeps):
    """A rescue sets last_error, and does not append to errors."""

    def settle(self, outcomes: Sequence[Outcome], **options: Any) -> Sequence[bool]:
        return MemoryBackend.settle(self, outcomes, **options)

    def _kept(self, before: Record, after: Record) -> tuple[AttemptError, ...]:
        return before.errors


class NewestFirst(_Keeps):
    """The latest error comes first."""

    def _kept(self, before: Record, after: Record) -> tuple[AttemptError, ...]:
        return (*after.errors[-1:], *before.errors)[:20]


class ListsErrors(MemoryBackend):
    """list returns errors too."""

    def list(self, filter: Filter, **options: Any) -> Sequence[Record]:
        found = super().list(filter, **options)
        with self._locked() as store:
            return [store.records.get(record.id, record) for record in found]


class KeepsTheFirst(_Keeps):
    """A record keeps its first 20 errors."""

    def _kept(self, before: Record, after: Record) -> tuple[AttemptError, ...]:
        return (*before.errors, after.errors[-1])[:20]


class KeepsThemAll(_Keeps):
    """A record keeps every error."""

    def _kept(self, before: Record, after: Record) -> tuple[AttemptError, ...]:
        return (*before.errors, after.errors[-1])


class RequeuesClean(MemoryBackend):
    """A requeue clears the errors."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        changed = super().requeue(filter, limit=limit, now=now)
        with self._locked() as store:
            for id in changed:
                store.records[id] = store.records[id]._replace(errors=())
        return changed


class _Cuts(MemoryBackend):
    """Changes each error before it is kept, but not `last_error`."""

    def _settle(self, store: Store, outcome: Outcome, now: Any) -> bool:
        applied = super()._settle(store, outcome, now)
        if applied and isinstance(outcome, Retry | Discard):
            record = store.records[outcome.claim.id]
            *rest, last = record.errors
            kept = last._replace(error=self._cut(last.error, outcome.error))
            store.records[record.id] = record._replace(errors=(*rest, kept))
        return applied

    def _cut(self, kept: Failure, whole: Failure) -> Failure:
        raise NotImplementedError


class CutsTracebacksAtTheEnd(_Cuts):
    """A long traceback keeps its start."""

    def _cut(self, kept: Failure, whole: Failure) -> Failure:
        return replace(kept, traceback=whole.traceback[:8_000])


class CutsNothing(_Cuts):
    """A long message is kept whole."""

    def _cut(self, kept: Failure, whole: Failure) -> Failure:
        return replace(kept, message=whole.message)


class DropsNulOfErrors(_Cuts):
    """NUL is removed from the message of a kept error."""

    def _cut(self, kept: Failure, whole: Failure) -> Failure:
        return replace(kept, message=kept.message.replace("\0", ""))


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("forgets rescues", "ERRORS-01", ForgetsRescues),
    MEMORY.mutant("has the newest error first", "ERRORS-01", NewestFirst),
    MEMORY.mutant("lists errors", "ERRORS-02", ListsErrors),
    MEMORY.mutant("keeps the first errors", "ERRORS-03", KeepsTheFirst),
    MEMORY.mutant("keeps every error", "ERRORS-03", KeepsThemAll),
    MEMORY.mutant("requeues without errors", "ERRORS-03", RequeuesClean),
    MEMORY.mutant("cuts tracebacks at the end", "ERRORS-04", CutsTracebacksAtTheEnd),
    MEMORY.mutant("cuts no message", "ERRORS-04", CutsNothing),
    MEMORY.mutant("drops NUL of errors", "ERRORS-04", DropsNulOfErrors),
)
