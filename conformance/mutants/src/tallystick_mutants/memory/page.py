"""Bugs in pages by time, and in counts of matching records."""

from collections.abc import Sequence
from typing import Any

from tallystick import Filter, Record, State
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY

Records = list[Record]


class _Pages(MemoryBackend):
    """Changes the pages by time."""

    def list(
        self, filter: Filter, *, limit: int, order: Any = "id", after: Any = None, **options: Any
    ) -> Sequence[Record]:
        if order == "id":
            return super().list(filter, limit=limit, order=order, after=after, **options)
        super().list(filter, limit=limit, order=order, after=after)
        every = super().list(filter, limit=100_000, order=order)
        return self._page(list(every), order, after)[:limit]

    def _page(self, every: Records, order: str, after: Any) -> Records:
        return every if after is None else [r for r in every if self._is_behind(r, order, after)]

    def _is_behind(self, record: Record, order: str, after: Any) -> bool:
        place = (getattr(record, order), record.id.int)
        start = (after[0], after[1].int)
        return place > start if order == "run_at" else place < start


class FinishedAscending(_Pages):
    """Finished jobs with the same time are sorted by id, ascending."""

    def _page(self, every: Records, order: str, after: Any) -> Records:
        if order == "finished_at":
            every.sort(key=lambda record: record.id.int)
            every.sort(key=lambda record: record.finished_at or record.created_at, reverse=True)
        return super()._page(every, order, after)


class RunningIsFinished(MemoryBackend):
    """A page by finished_at has running jobs too, at the end."""

    def list(self, filter: Filter, *, limit: int, order: Any = "id", **options: Any) -> Sequence[Record]:
        found = list(super().list(filter, limit=limit, order=order, **options))
        if order == "finished_at" and options.get("after") is None:
            rest = super().list(filter, limit=limit)
            found += [record for record in rest if record.state is State.RUNNING]
        return found[:limit]


class WaitsByPriority(_Pages):
    """A page by run_at sorts jobs by priority first."""

    def _page(self, every: Records, order: str, after: Any) -> Records:
        if order == "run_at":
            every.sort(key=lambda record: -record.priority)
        return super()._page(every, order, after)


class RepeatsThePlace(_Pages):
    """A page by time begins with the record at `after`."""

    def _is_behind(self, record: Record, order: str, after: Any) -> bool:
        return record.id == after[1] or super()._is_behind(record, order, after)


class SkipsEqualTimes(_Pages):
    """A page by time skips the records with the time of `after`."""

    def _is_behind(self, record: Record, order: str, after: Any) -> bool:
        return super()._is_behind(record, order, after) and getattr(record, order) != after[0]


class CountsOneMore(MemoryBackend):
    """count returns one more than at_most if there are more records."""

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        super().count(filter, at_most=at_most)
        return super().count(filter, at_most=min(at_most + 1, 1_000_000))


class CountsBeforeFilter(MemoryBackend):
    """count looks at the first `at_most` records only, and counts those that match."""

    def count(self, filter: Filter, *, at_most: int = 10_000) -> int:
        found = super().count(filter, at_most=at_most)
        return min(found, sum(filter.fits(record) for record in self.list(Filter(), limit=at_most)))


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("sorts the finished by id, ascending", "PAGE-04", FinishedAscending),
    MEMORY.mutant("shows the running as finished", "PAGE-01", RunningIsFinished),
    MEMORY.mutant("sorts the waiting by priority", "PAGE-02", WaitsByPriority),
    MEMORY.mutant("repeats the place", "PAGE-03", RepeatsThePlace),
    MEMORY.mutant("skips equal times", "PAGE-04", SkipsEqualTimes, "E2"),
    MEMORY.mutant("counts one more", "COUNT-01", CountsOneMore),
    MEMORY.mutant("counts before it filters", "COUNT-01", CountsBeforeFilter),
)
