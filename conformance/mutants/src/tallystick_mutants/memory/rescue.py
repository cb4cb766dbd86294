"""Bugs in rescue: leases that have not expired, and max_attempts."""

from collections.abc import Sequence
from datetime import datetime

from tallystick import Record, State
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


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


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("rescues the living", "RESCUE-01", RescuesLive, "J7"),
    MEMORY.mutant("rescues for ever", "RESCUE-03", RescuesForever, "K4"),
)
