"""Bugs in clients of one store: caches of records, counts, queues and claims, and late writes."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from tallystick import Filter, Outcome, Queue, Record, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import CACHED_SECONDS, Caches, Remembers


class ReadsItsOwn(MemoryBackend):
    """A client caches each record that it has read, and never reads it again."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._read: dict[Any, Record] = {}

    def get(self, ids: Sequence[Any]) -> dict[Any, Record]:
        for id, record in super().get(ids).items():
            self._read.setdefault(id, record)
        return {id: self._read[id] for id in ids if id in self._read}


class WritesLate(MemoryBackend):
    """settle returns at once, and stores the outcomes with the client's next call."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._late: list[tuple[Sequence[Outcome], datetime | None]] = []

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        self._flush()
        with self._locked() as store:
            current = [store.current(outcome.claim) is not None for outcome in outcomes]
        self._late.append((outcomes, now))
        return current

    def get(self, ids: Sequence[Any]) -> dict[Any, Record]:
        self._flush()
        return super().get(ids)

    def list(self, filter: Filter, **options: Any) -> Sequence[Record]:
        self._flush()
        return super().list(filter, **options)

    def _flush(self) -> None:
        late, self._late = self._late, []
        for outcomes, now in late:
            super().settle(outcomes, now=now)


class AnswersFromMemory(Remembers):
    """get keeps returning a record that another client has deleted."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._seen: dict[UUID, Record] = {}

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        found = super().get(ids)
        old = {id: self._seen[id] for id in ids if id in self._seen and id not in found}
        self._seen |= found
        return {**old, **found}


class CachesStats(Caches):
    """stats without now is cached for a tenth of a second."""

    def stats(self, *, now: datetime | None = None) -> Stats:
        if now is not None:
            return super().stats(now=now)
        answer: Stats = self._for_a_moment("stats", super().stats)
        return answer


class CachesQueues(Caches):
    """The queues, and which of them are paused, are cached for a tenth of a second."""

    def queues(self) -> Sequence[Queue]:
        answer: Sequence[Queue] = self._for_a_moment("queues", super().queues)
        return answer


class CachesEmptiness(Caches):
    """A claim without now that found no job returns nothing for a tenth of a second."""

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        ask: Callable[[], Sequence[Record]] = lambda: super(CachesEmptiness, self).claim(queues, now=now, **options)  # noqa: E731
        if now is not None:
            return ask()
        answer: Sequence[Record] = self._for_a_moment(tuple(queues), ask, keep=False)
        return answer


class CachesThatSomethingIsDue(Caches):
    """A wait that found a job returns True for a tenth of a second."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        until, _ = self._kept.get(tuple(queues), (0.0, None))
        if monotonic() < until:
            return True
        found = super().wait(queues, timeout=timeout)
        if found:
            self._kept[tuple(queues)] = monotonic() + CACHED_SECONDS, True
        return found


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("reads its own", "SETUP-04", ReadsItsOwn),
    MEMORY.mutant("writes late", "SETUP-04", WritesLate, "N4"),
    MEMORY.mutant("answers from memory", "SETUP-04", AnswersFromMemory),
    MEMORY.mutant("caches stats", "SETUP-04", CachesStats),
    MEMORY.mutant("caches queues", "SETUP-04", CachesQueues),
    MEMORY.mutant("caches that nothing is due", "SETUP-04", CachesEmptiness),
    MEMORY.mutant("caches that something is due", "SETUP-04", CachesThatSomethingIsDue),
)
