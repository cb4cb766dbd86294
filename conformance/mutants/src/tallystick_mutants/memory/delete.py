"""Bugs in delete: running jobs, keys and the limit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from tallystick import Filter
from tallystick.contract.state import FINAL
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import LimitsFirst


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


class DeletesFewer(LimitsFirst):
    """delete counts records toward the limit that it cannot change."""

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return super().delete(self._first(filter, limit), limit=limit)


class DeletesKeyless(MemoryBackend):
    """delete skips finished jobs that still hold a key."""

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        found = self.list(filter, limit=self.capabilities.max_batch)
        free = [r.id for r in found if r.state not in FINAL or r.unique_until == "finished" or r.unique_key is None]
        return super().delete(replace(filter, ids=free), limit=limit)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("deletes the running", "DELETE-01", DeletesRunning, "D14"),
    MEMORY.mutant("deletes fewer", "DELETE-02", DeletesFewer),
    MEMORY.mutant("deletes the keyless", "DELETE-02", DeletesKeyless),
)
