"""The works of the benchmark, in the order of the table."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..contract.records import Capabilities
from ..errors import InvalidArgument
from . import draining, enqueueing, raw
from .session import Session

JOBS, MILLISECONDS = "jobs/s", "ms"


@dataclass(frozen=True)
class Work:
    """One work: it returns one figure for each of its rows.

    Args:
        name: Describes the work in the table.
        run: Does it once.
        limit: The name of the work that limits this one.
        rows: What each figure is, if there are several.
        unit: The unit of the figures.
        processes: The number of worker processes, if it is fixed.
    """

    name: str
    run: Callable[[Session], list[float]]
    limit: str | None = None
    rows: tuple[str, ...] = ("",)
    unit: str = JOBS
    processes: int = 1

    def is_possible(self, capabilities: Capabilities) -> bool:
        """Return whether a store with these capabilities allows this work."""
        return self.processes == 1 or capabilities.multi_process


INSERT, INSERT_BATCH, CLAIM = "limit: insert one by one", "limit: insert 1,000s", "limit: claim and settle 1,000s"

WORKS = (
    Work("enqueue one by one", enqueueing.one_by_one, INSERT),
    Work("enqueue by 8 threads", enqueueing.by_threads, INSERT),
    Work("enqueue 1,000s", enqueueing.in_batches, INSERT_BATCH),
    Work("drain by 1 worker", draining.drain(1), CLAIM),
    Work("drain by 2 workers", draining.drain(2), CLAIM, processes=2),
    Work("mixed: enqueue 100s and work", draining.mixed),
    Work("depth: among due jobs", raw.among_due, CLAIM),
    Work("depth: among future jobs", raw.among_future, CLAIM),
    Work("depth: among finished jobs", raw.among_finished, CLAIM),
    Work(INSERT, raw.insert_one_by_one),
    Work(INSERT_BATCH, raw.insert_in_batches),
    Work(CLAIM, raw.claim_and_settle),
    Work("pick-up", draining.pick_up, rows=tuple(f"p{p}" for p in draining.PERCENTILES), unit=MILLISECONDS),
)


def chosen(only: Collection[str]) -> list[Work]:
    """Return the works whose names begin with one of these words, and their limits. Without words, return all.

    Raises:
        InvalidArgument: No name begins with one of the words.
    """
    for word in only:
        if not any(work.name.startswith(word) for work in WORKS):
            names = ", ".join(repr(work.name) for work in WORKS)
            raise InvalidArgument(f"only is {word!r}; no work begins so. The works are {names}")
    found = {work.name for work in WORKS if not only or work.name.startswith(tuple(only))}
    found |= {work.limit for work in WORKS if work.name in found and work.limit}
    return [work for work in WORKS if work.name in found]
