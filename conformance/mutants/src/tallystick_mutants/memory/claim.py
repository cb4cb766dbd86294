"""Bugs in the choice of claimed jobs: state, due time, queue, pause and order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tallystick import Record, State, validation
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Caches, Chooses


class ClaimsAgain(Chooses):
    """A running job stays claimable."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        seen = record._replace(state=State.PENDING) if record.state is State.RUNNING else record
        return super()._choice(seen, queues, now)


class ClaimsBeforeDue(Chooses):
    """A claim ignores run_at."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        return super()._choice(record, queues, max(now, record.run_at))


class ClaimsOtherQueues(Chooses):
    """A claim ignores the queue."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        return super()._choice(record, [record.queue], now)


class CutsQueues(MemoryBackend):
    """A claim uses only the first 500 of its queues."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return super().claim(queues if isinstance(queues, str) else queues[:500], **options)


class RetriesWhilePaused(Chooses):
    """A pause holds back pending jobs only, not retrying ones."""

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        retries = record.state == "retrying" and record.run_at <= now and record.queue in queues
        return retries or super()._choice(record, queues, now)


class PausesHere(MemoryBackend):
    """Only the client knows about a pause, not the store."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._paused: set[str] = set()

    def pause(self, queue: str) -> None:
        super().pause(queue)
        super().resume(queue)
        self._paused.add(queue)

    def resume(self, queue: str) -> None:
        super().resume(queue)
        self._paused.discard(queue)

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return super().claim(
            [name for name in validation.names(queues, "queues") if name not in self._paused], **options
        )


class CachesPauses(Caches):
    """A queue that was not paused at a claim without now counts as not paused for a tenth of a second."""

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        if now is not None:
            return super().claim(queues, now=now, **options)
        paused = self._for_a_moment("paused", lambda: frozenset(self._store.paused))
        with self._store.changed:
            real, self._store.paused = self._store.paused, set(paused)
            try:
                return super().claim(queues, now=now, **options)
            finally:
                self._store.paused = real


class SortsByTime(Chooses):
    """A claim sorts by run_at before priority."""

    def _key(self, record: Record) -> Any:
        return (record.run_at, -record.priority, record.id.int)


class SortsWithoutId(Chooses):
    """Jobs of equal priority and run_at are claimed in insertion order."""

    def _key(self, record: Record) -> Any:
        return (-record.priority, record.run_at)


class ClaimsReversed(MemoryBackend):
    """Claimed records are returned in the order in which they were written."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return sorted(super().claim(queues, **options), key=lambda record: record.id, reverse=True)


class RescuedFirst(MemoryBackend):
    """Retrying jobs are claimed before new ones, whatever their priority."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = super().claim(queues, **options)
        return sorted(claimed, key=lambda record: record.attempt < 2)


class OrdersEachPart(MemoryBackend):
    """The jobs of a long claim are sorted only within each part of 64."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = list(super().claim(queues, **options))
        parts = [claimed[n : n + 64] for n in range(0, len(claimed), 64)]
        return [record for part in (parts if len(parts) < 3 else reversed(parts)) for record in part]


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("claims again", "CLAIM-01", ClaimsAgain, "A5"),
    MEMORY.mutant("claims before due", "CLAIM-02", ClaimsBeforeDue, "B1"),
    MEMORY.mutant("claims other queues", "CLAIM-03", ClaimsOtherQueues, "J4"),
    MEMORY.mutant("cuts the queues of a claim", "CLAIM-03", CutsQueues, "H1"),
    MEMORY.mutant("retries while paused", "CLAIM-04", RetriesWhilePaused, "E4"),
    MEMORY.mutant("pauses here", "CLAIM-04", PausesHere),
    MEMORY.mutant("caches pauses", "CLAIM-04", CachesPauses),
    MEMORY.mutant("sorts by time", "CLAIM-05", SortsByTime, "G1"),
    MEMORY.mutant("sorts without id", "CLAIM-05", SortsWithoutId, "G2"),
    MEMORY.mutant("returns claims unordered", "CLAIM-05", ClaimsReversed, "G4"),
    MEMORY.mutant("puts retries first", "CLAIM-05", RescuedFirst, "G5"),
    MEMORY.mutant("orders each part", "CLAIM-05", OrdersEachPart),
)
