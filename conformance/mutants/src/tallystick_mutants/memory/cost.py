"""Bugs that only increase the cost of a call."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tallystick import Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class SortsEverything(MemoryBackend):
    """A claim reads every record of the store."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        with self._locked() as store:
            sorted(store.records.values(), key=lambda record: (-record.priority, record.run_at))
        return super().claim(queues, **options)


class WalksTheFuture(MemoryBackend):
    """A claim scans each job of its queues that is not due yet."""

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        moment = now or datetime.now(UTC)
        with self._locked() as store:
            for record in store.records.values():
                if record.run_at > moment and record.queue in queues:
                    continue
        return super().claim(queues, now=now, **options)


class LooksEverywhereWhenEmpty(MemoryBackend):
    """A claim that finds no job reads each record once more."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = super().claim(queues, **options)
        if not claimed:
            with self._locked() as store:
                [record for record in store.records.values() if record.queue in queues]
        return claimed


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("sorts everything", "COST-01", SortsEverything),
    MEMORY.mutant("walks the future", "COST-01", WalksTheFuture),
    MEMORY.mutant("looks everywhere when it is empty", "COST-01", LooksEverywhereWhenEmpty),
)
