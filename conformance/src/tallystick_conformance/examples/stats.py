"""Counts of many jobs, and of queues without jobs."""

from tallystick import Filter, NewRecord

from ..harness.case import NOW, Case, example
from .common import insert_many


@example("STATS-03")
def queues_are_counted_when_empty(case: Case) -> None:
    """`stats` includes, with zero counts, a queue without records and a queue that was only paused."""
    gone = case.insert(NewRecord(kind="k", queue="gone"))[0]
    case.backend.pause("paused")
    case.backend.delete(Filter(ids=[gone.id]), limit=1)
    by_queue = case.backend.stats(now=NOW).by_queue
    case.equal({"gone": (0, 0, None, False), "paused": (0, 0, None, True)}, {n: q[:4] for n, q in by_queue.items()})


@example("STATS-04")
def many_are_counted(case: Case) -> None:
    """`stats` counts every due job, however many there are."""
    size = insert_many(case)
    case.equal((size, size, NOW), case.backend.stats(now=NOW).by_queue["default"][:3])
