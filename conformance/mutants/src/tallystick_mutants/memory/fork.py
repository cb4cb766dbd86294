"""Bugs in forked children."""

from tallystick.backends.lifetime import Lifetime, closed
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class _InEachProcess(Lifetime):
    def check(self) -> None:
        if self.has_ended:
            raise closed()


class AnswersInChildren(MemoryBackend):
    """In a forked child, a client returns data from the copy of its parent's store."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._lifetime = _InEachProcess()


MUTANTS: tuple[Mutant, ...] = (MEMORY.mutant("answers in children", "FORK-01", AnswersInChildren),)
