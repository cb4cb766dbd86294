"""Bugs in purge."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tallystick import State
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class PurgesByCreation(MemoryBackend):
    """Retention counts from created_at."""

    def purge(self, states: Sequence[State], *, before: datetime, limit: int, **options: Any) -> int:
        super().purge([], before=before, limit=limit, **options)
        with self._locked() as store:
            old = [r for r in store.records.values() if r.state in states and r.created_at < before][:limit]
            for record in old:
                store.remove(record)
        return len(old)


_SELECTS = "backend.calls.PurgeCall.selects"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("purges by creation", "PURGE-01", PurgesByCreation, "I1"),
    MEMORY.edited("purges excepted kinds", "PURGE-03", _SELECTS, " and kind not in self.except_kinds", ""),
    MEMORY.edited("purges every kind", "PURGE-03", _SELECTS, "self.kinds is None", "not self.kinds"),
)
