"""Bugs in counts."""

from datetime import datetime, timedelta

from tallystick import State, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class CountsTwice(MemoryBackend):
    """A running job is counted as pending too."""

    def stats(self, *, now: datetime | None = None) -> Stats:
        stats = super().stats(now=now)
        running = stats.by_state[State.RUNNING]
        return stats._replace(by_state={**stats.by_state, State.PENDING: stats.by_state[State.PENDING] + running})


class CountsKnownOnly(MemoryBackend):
    """stats omits queues without records."""

    def stats(self, *, now: Now = None) -> Stats:
        stats = super().stats(now=now)
        return stats._replace(by_queue={name: queue for name, queue in stats.by_queue.items() if queue.total})


class SaysUnpaused(MemoryBackend):
    """stats reports no queue as paused."""

    def stats(self, *, now: Now = None) -> Stats:
        stats = super().stats(now=now)
        return stats._replace(by_queue={name: queue._replace(paused=False) for name, queue in stats.by_queue.items()})


class CountsFuture(MemoryBackend):
    """A future job is counted as due."""

    def stats(self, *, now: datetime | None = None) -> Stats:
        assert now is not None
        late = super().stats(now=now + timedelta(days=1_000))
        return super().stats(now=now)._replace(by_queue=late.by_queue)


class CountsUpTo(MemoryBackend):
    """stats counts at most 100 of a few hundred due jobs of a queue."""

    def stats(self, *, now: Now = None) -> Stats:
        found = super().stats(now=now)
        by_queue = {
            name: queue._replace(due=100) if 100 < queue.due < 1_000 else queue
            for name, queue in found.by_queue.items()
        }
        return found._replace(by_queue=by_queue)


class LeavesOutZeros(MemoryBackend):
    """The counts by state of a queue omit states without jobs."""

    def stats(self, *, now: Now = None) -> Stats:
        found = super().stats(now=now)
        by_queue = {
            name: queue._replace(by_state={state: count for state, count in queue.by_state.items() if count})
            for name, queue in found.by_queue.items()
        }
        return found._replace(by_queue=by_queue)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("counts twice", "STATS-01", CountsTwice, "E4"),
    MEMORY.mutant("leaves out empty queues", "STATS-03", CountsKnownOnly, "E7"),
    MEMORY.mutant("does not tell of pauses", "STATS-03", SaysUnpaused),
    MEMORY.mutant("counts the future", "STATS-04", CountsFuture, "E5"),
    MEMORY.mutant("counts up to a hundred", "STATS-04", CountsUpTo),
    MEMORY.mutant("leaves out zeros", "STATS-06", LeavesOutZeros),
)
