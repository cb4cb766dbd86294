"""Jobs that have run and were removed, and new jobs with their ids."""

from collections.abc import Callable, Sequence
from uuid import UUID

from tallystick import Backend, Complete, Discard, Filter, NewRecord, Record, State

from ..harness.case import LEASE, NOW
from .common import ERROR

LATER = NOW + LEASE
IDS = [UUID(int=n << 96 | n) for n in range(1, 4)]
OLD = [
    NewRecord(kind="old", id=id, queue="old", priority=9, unique_key=f"old {n}", unique_until="purged", tags=("old",))
    for n, id in enumerate(IDS)
]

NEW = [NewRecord(kind="new", id=id, payload=b"new", queue="new", max_attempts=3) for id in IDS]
Removal = Callable[[Backend], object]

REMOVALS: tuple[Removal, ...] = (
    lambda client: client.delete(Filter(ids=IDS), limit=9),
    lambda client: client.delete(Filter(), limit=9),
    lambda client: client.purge([State.COMPLETED, State.DISCARDED], before=LATER + LEASE, limit=9),
)


def run_old_jobs(client: Backend) -> Sequence[Record]:
    """Run the old jobs to their end: discard the first and complete the others."""
    client.insert(OLD, now=NOW)
    claimed = client.claim(["old"], limit=9, worker="w", lease=LEASE, now=NOW)
    first, *rest = (record.claim for record in claimed)
    client.settle([Discard(first, ERROR), *(Complete(claim, b"old") for claim in rest)], now=NOW)
    return claimed
