"""Bugs in known queues."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tallystick import Queue
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class ForgetsQueues(MemoryBackend):
    """A queue without records is no longer known."""

    def queues(self) -> Sequence[Queue]:
        counted = super().stats(now=datetime.max.replace(tzinfo=UTC)).by_queue
        return [queue for queue in super().queues() if counted[queue.name].total]


MUTANTS: tuple[Mutant, ...] = (MEMORY.mutant("forgets queues", "QUEUE-01", ForgetsQueues, "E7"),)
