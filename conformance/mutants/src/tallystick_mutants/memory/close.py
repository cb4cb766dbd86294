"""Bugs in close: waits, other clients, and calls at the same time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Closed, Inserted, NewRecord, Unavailable
from tallystick.backends.lifetime import Lifetime
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class ClosesTwice(MemoryBackend):
    """A second close raises."""

    def close(self) -> None:
        if self._lifetime.has_ended:
            raise Closed("it is closed")
        super().close()


class WorksClosed(MemoryBackend):
    """stats works on a closed client."""

    def stats(self, **options: Any) -> Any:
        lifetime, self._lifetime = self._lifetime, Lifetime()
        try:
            return super().stats(**options)
        finally:
            self._lifetime = lifetime


class LeavesWaits(MemoryBackend):
    """close does not end waits."""

    def close(self) -> None:
        with self._store.changed:
            self._store.clients -= self._lifetime.end()


class FailsWaits(MemoryBackend):
    """wait raises Unavailable when close ends it."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        woken = super().wait(queues, timeout=timeout)
        if self._lifetime.has_ended:
            raise Unavailable("the store is gone")
        return woken


class ClosesTheStore(MemoryBackend):
    """Closing a client releases the jobs that it has claimed."""

    def close(self) -> None:
        if not self._lifetime.has_ended:
            far = datetime.max.replace(tzinfo=UTC)
            with self._locked() as store:
                if store.records:
                    super().rescue(limit=1_000, now=far)
        super().close()


class TakesItsPausesAlong(MemoryBackend):
    """Closing a client resumes the queues that it paused."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._mine: set[str] = set()

    def pause(self, queue: str) -> None:
        super().pause(queue)
        self._mine.add(queue)

    def close(self) -> None:
        self._store.paused -= self._mine
        super().close()


class LeavesWithEachClose(MemoryBackend):
    """Each close reduces the count of clients, so a repeated close removes a store that others still use."""

    def close(self) -> None:
        self._lifetime = Lifetime()
        super().close()
        self._store.clients = max(self._store.clients, 0)


class AnswersWhenOpen(MemoryBackend):
    """An insert checks only after storing whether the client is closed."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, **options)
        with self._locked():
            return answers


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("closes once", "CLOSE-01", ClosesTwice),
    MEMORY.mutant("works when closed", "CLOSE-01", WorksClosed),
    MEMORY.mutant("leaves waits", "CLOSE-02", LeavesWaits),
    MEMORY.mutant("fails waits", "CLOSE-02", FailsWaits),
    MEMORY.mutant("closes the store", "CLOSE-03", ClosesTheStore, "A13"),
    MEMORY.mutant("takes its pauses along", "CLOSE-03", TakesItsPausesAlong),
    MEMORY.mutant("leaves with each close", "CLOSE-03", LeavesWithEachClose),
    MEMORY.mutant("answers when open", "CLOSE-04", AnswersWhenOpen),
)
