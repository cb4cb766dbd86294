"""Bugs that leak threads."""

from collections.abc import Sequence
from datetime import timedelta
from threading import Timer

from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class LeavesTimers(MemoryBackend):
    """A wait starts a timer for its timeout, and does not cancel it when a job comes first."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        timer = Timer(timeout.total_seconds(), lambda: None)
        timer.daemon = True
        timer.start()
        return super().wait(queues, timeout=timeout)


MUTANTS: tuple[Mutant, ...] = (MEMORY.mutant("leaves timers", "LEAK-03", LeavesTimers),)
