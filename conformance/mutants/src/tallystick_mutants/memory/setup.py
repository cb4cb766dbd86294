"""Bugs in setup and teardown."""

from tallystick import Filter
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class SetsUpAfresh(MemoryBackend):
    """setup empties the store."""

    def setup(self) -> None:
        super().setup()
        super().teardown()


class ForgetsPauses(MemoryBackend):
    """setup resumes every queue."""

    def setup(self) -> None:
        super().setup()
        with self._locked() as store:
            store.paused.clear()


class TearsDownPartly(MemoryBackend):
    """teardown keeps the queues."""

    def teardown(self) -> None:
        for record in self.list(Filter(), limit=10_000):
            with self._locked() as store:
                store.remove(record)
                store.running.discard(record.id)


class TearsDownOnce(MemoryBackend):
    """A second teardown raises."""

    _gone = False

    def teardown(self) -> None:
        if self._gone:
            raise LookupError("there is no such store")
        super().teardown()
        self._gone = True

    def setup(self) -> None:
        super().setup()
        self._gone = False


class KeepsPauses(MemoryBackend):
    """teardown removes the jobs and queues, but keeps which queues were paused."""

    def teardown(self) -> None:
        paused = self._store.paused
        super().teardown()
        self._store.paused = paused


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("sets up afresh", "SETUP-01", SetsUpAfresh),
    MEMORY.mutant("forgets pauses", "SETUP-01", ForgetsPauses),
    MEMORY.mutant("tears down partly", "SETUP-02", TearsDownPartly),
    MEMORY.mutant("tears down once", "SETUP-02", TearsDownOnce),
    MEMORY.mutant("keeps pauses", "SETUP-02", KeepsPauses),
    MEMORY.mutant("sets up over others", "SETUP-08", ForgetsPauses, "L1"),
)
