"""Bugs in updates of waiting jobs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tallystick import Changes, Filter, Record, State
from tallystick.backends import transitions
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import LimitsFirst, Now


class ForgetsTheQueue(MemoryBackend):
    """An update of several fields does not change the queue."""

    def update(self, filter: Filter, changes: Changes, **options: Any) -> Sequence[UUID]:
        if changes.queue is not None and changes.priority is not None:
            changes = Changes(run_at=changes.run_at, priority=changes.priority)
        return super().update(filter, changes, **options)


class RestartsTheUpdated(MemoryBackend):
    """An updated job is pending, even if it was retrying."""

    def update(self, filter: Filter, changes: Changes, **options: Any) -> Sequence[UUID]:
        changed = super().update(filter, changes, **options)
        with self._locked() as store:
            for id in changed:
                store.put(store.records[id]._replace(state=State.PENDING))
        return changed


class _Puts(MemoryBackend):
    """An update that finds jobs in one step and stores them in another."""

    def update(self, filter: Filter, changes: Changes, *, limit: int, now: Now = None) -> Sequence[UUID]:
        super().update(Filter(ids=[]), changes, limit=limit, now=now)
        assert now is not None
        found = [self._changed(record, changes, now) for record in self.list(filter, limit=100_000)]
        changed = [record for record in found if record is not None][:limit]
        for record in changed:
            with self._locked() as store:
                store.put(record)
        return [record.id for record in changed]

    def _changed(self, record: Record, changes: Changes, now: Any) -> Record | None:
        return transitions.updated(record, changes, now)


class UpdatesTheSame(_Puts):
    """A job that has the values already counts as updated."""

    def _changed(self, record: Record, changes: Changes, now: Any) -> Record | None:
        if record.state not in (State.PENDING, State.RETRYING):
            return None
        return changes.of(record, now)._replace(updated_at=now)


class UpdatesTheFinished(_Puts):
    """An update changes finished jobs too."""

    def _changed(self, record: Record, changes: Changes, now: Any) -> Record | None:
        if record.state is State.RUNNING or changes.of(record, now) is record:
            return None
        return changes.of(record, now)


class UpdatesFewer(LimitsFirst):
    """The limit of an update counts jobs that it cannot change."""

    def update(self, filter: Filter, changes: Changes, *, limit: int, **options: Any) -> Sequence[UUID]:
        return super().update(self._first(filter, limit), changes, limit=limit, **options)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("forgets the queue of an update", "UPDATE-01", ForgetsTheQueue),
    MEMORY.mutant("restarts the updated", "UPDATE-01", RestartsTheUpdated),
    MEMORY.mutant("updates what is the same", "UPDATE-02", UpdatesTheSame),
    MEMORY.mutant("updates the finished", "UPDATE-02", UpdatesTheFinished),
    MEMORY.mutant("updates fewer", "UPDATE-03", UpdatesFewer),
    MEMORY.edited("claims from the old queue", "UPDATE-04", "lane.Lane._waits", " and record.queue == self._queue", ""),
    MEMORY.mutant("updates in two steps", "RACE-13", _Puts),
    MEMORY.mutant("updates what was claimed", "RACE-14", _Puts),
)
