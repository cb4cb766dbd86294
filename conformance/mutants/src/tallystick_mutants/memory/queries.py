"""Bugs in reads: lists, counts, queues and waits."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tallystick import Filter, Queue, Record, State, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend


class RepeatsLast(MemoryBackend):
    """A page begins with the last record of the previous page."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        return super().list(filter, limit=limit, after=UUID(int=min(after.int + 1, 2**128 - 1)) if after else None)


class SkipsTies(MemoryBackend):
    """A page omits records that were created at the same time as the last one of the previous page."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        page = super().list(filter, limit=limit, after=after)
        last = self.get([after])[after].created_at if after and self.get([after]) else None
        return [record for record in page if record.created_at != last]


class EmptyFitsAll(MemoryBackend):
    """An empty collection in a filter matches all records."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        return super().list(
            Filter(
                ids=filter.ids or None,
                states=filter.states or None,
                kinds=filter.kinds or None,
                queues=filter.queues or None,
                tags=filter.tags or None,
            ),
            limit=limit,
            after=after,
        )


class CountsTwice(MemoryBackend):
    """A running job is counted as pending too."""

    def stats(self, *, now: datetime | None = None) -> Stats:
        stats = super().stats(now=now)
        running = stats.by_state[State.RUNNING]
        return stats._replace(by_state={**stats.by_state, State.PENDING: stats.by_state[State.PENDING] + running})


class CountsFuture(MemoryBackend):
    """A future job is counted as due."""

    def stats(self, *, now: datetime | None = None) -> Stats:
        assert now is not None
        late = super().stats(now=now + timedelta(days=1_000))
        return super().stats(now=now)._replace(by_queue=late.by_queue)


class ForgetsQueues(MemoryBackend):
    """A queue without records is no longer known."""

    def queues(self) -> Sequence[Queue]:
        counted = super().stats(now=datetime.max.replace(tzinfo=UTC)).by_queue
        return [queue for queue in super().queues() if counted[queue.name].total]


class WakesForPaused(MemoryBackend):
    """wait returns for paused queues too, so a worker never sleeps."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        stats = super().stats().by_queue
        return any(name in stats and stats[name].due for name in queues) or super().wait(queues, timeout=timeout)


MUTANTS = (
    Mutant("repeats the last", "QUERY-03", RepeatsLast, "A page begins with the last of the previous one.", "E1"),
    Mutant("skips ties", "QUERY-04", SkipsTies, "A page omits records created at the same time.", "E1"),
    Mutant("empty fits all", "FILTER-01", EmptyFitsAll, "An empty collection matches every record.", "F8"),
    Mutant("counts twice", "STATS-01", CountsTwice, "A running job is counted as pending too.", "E4"),
    Mutant("counts the future", "STATS-04", CountsFuture, "A future job is counted as due.", "E5"),
    Mutant("forgets queues", "QUEUE-01", ForgetsQueues, "A queue without records is no longer known.", "E7"),
    Mutant("wakes for paused", "WAIT-04", WakesForPaused, "wait returns at once for a paused queue's job.", "M2"),
)
