"""Bugs in cancel: running jobs, and the limit."""

from collections.abc import Sequence
from uuid import UUID

from tallystick import Filter, State
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import LimitsFirst, Now


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


class CancelsFewer(LimitsFirst):
    """cancel counts records toward the limit that it cannot change."""

    def cancel(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        return super().cancel(self._first(filter, limit), limit=limit, now=now)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("ends what runs", "CANCEL-02", StopsRunning),
    MEMORY.mutant("cancels fewer", "CANCEL-04", CancelsFewer),
)
