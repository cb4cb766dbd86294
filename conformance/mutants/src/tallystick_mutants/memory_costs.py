"""Bugs that only show by their cost."""

from collections.abc import Sequence
from typing import Any

from tallystick import Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend


class SortsEverything(MemoryBackend):
    """A claim looks at every record that there is."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        with self._locked() as store:
            sorted(store.records.values(), key=lambda record: (-record.priority, record.run_at))
        return super().claim(queues, **options)


MUTANTS = (Mutant("sorts everything", "COST-01", SortsEverything, SortsEverything.__doc__ or ""),)
