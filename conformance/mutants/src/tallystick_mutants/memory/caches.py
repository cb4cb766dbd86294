"""Bugs in clients that cache results for a short time."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from tallystick import Queue, Record, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

_SECONDS = 0.1


class _Caches(MemoryBackend):
    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._kept: dict[Any, tuple[float, Any]] = {}

    def _for_a_moment(self, key: Any, ask: Callable[[], Any], *, keep: bool = True) -> Any:
        until, answer = self._kept.get(key, (0.0, None))
        if monotonic() >= until:
            answer = ask()
            if keep or not answer:
                self._kept[key] = monotonic() + _SECONDS, answer
        return answer


class CachesStats(_Caches):
    """stats without now is cached for a tenth of a second."""

    def stats(self, *, now: datetime | None = None) -> Stats:
        if now is not None:
            return super().stats(now=now)
        answer: Stats = self._for_a_moment("stats", super().stats)
        return answer


class CachesQueues(_Caches):
    """The queues, and which of them are paused, are cached for a tenth of a second."""

    def queues(self) -> Sequence[Queue]:
        answer: Sequence[Queue] = self._for_a_moment("queues", super().queues)
        return answer


class CachesEmptiness(_Caches):
    """A claim without now that found no job returns nothing for a tenth of a second."""

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        ask: Callable[[], Sequence[Record]] = lambda: super(CachesEmptiness, self).claim(queues, now=now, **options)  # noqa: E731
        if now is not None:
            return ask()
        answer: Sequence[Record] = self._for_a_moment(tuple(queues), ask, keep=False)
        return answer


class CachesPauses(_Caches):
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


class CachesThatSomethingIsDue(_Caches):
    """A wait that found a job returns True for a tenth of a second."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        until, _ = self._kept.get(tuple(queues), (0.0, None))
        if monotonic() < until:
            return True
        found = super().wait(queues, timeout=timeout)
        if found:
            self._kept[tuple(queues)] = monotonic() + _SECONDS, True
        return found


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "")
    for name, clause, make in (
        ("caches stats", "SETUP-04", CachesStats),
        ("caches queues", "SETUP-04", CachesQueues),
        ("caches that nothing is due", "SETUP-04", CachesEmptiness),
        ("caches pauses", "CLAIM-04", CachesPauses),
        ("caches that something is due", "SETUP-04", CachesThatSomethingIsDue),
    )
)
