"""Run more than a hundred jobs through the comparison with the model, beyond the size of small programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from tallystick import Cancel, Claim, Complete, Discard, Failure, Filter, NewRecord, Outcome, Release, Retry, State

from .differential import Pair
from .strategies import KINDS, QUEUES

ItemT = TypeVar("ItemT")

_LEASE = timedelta(seconds=30)
_ERROR = Failure("Error", "crowd")
_ALL = 1_000


class Crowd(NamedTuple):
    """The number of jobs, and the distance between neighbours in priority and id."""

    size: int
    stride: int

    def jobs(self, now: datetime) -> list[NewRecord]:
        """Return the jobs, ordered neither by id nor by priority or due time."""
        return [self._job(n, now) for n in range(self.size)]

    def _job(self, n: int, now: datetime) -> NewRecord:
        mixed = n * self.stride % 251
        return NewRecord(
            kind=KINDS[n % 2],
            queue=QUEUES[n % 3 // 2],
            id=UUID(int=(mixed << 120) | (n + 1 << 8) | 0xFF),
            payload=str(n).encode(),
            priority=mixed % 3,
            run_at=now - timedelta(seconds=mixed % 11) if n % 4 else None,
            max_attempts=1 + n % 3,
            unique_key=f"crowd {n}" if n % 5 == 0 else None,
            tags=("crowd", f"{n % 7}"),
        )


_some = st.builds(Crowd, st.sampled_from([160, 130, 200]), st.sampled_from([1, 7, 100, 250]))
crowds: st.SearchStrategy[Crowd | None] = st.integers(0, 11).flatmap(lambda n: _some if n == 11 else st.none())
"""One program in twelve has a crowd."""


def run_crowd(crowd: Crowd, pair: Pair, now: datetime) -> None:
    """Insert, claim, extend and settle a crowd, change it by filters and remove it; all twice.

    The second time reuses the ids and keys of the removed jobs.
    """
    most = pair.raw.capabilities.max_batch
    for _ in range(2):
        jobs = crowd.jobs(now)
        for batch in _batches(jobs, most):
            pair.insert(batch, now=now)
        pair.sweep(now)
        _page(pair, jobs[crowd.size // 2].id)
        pair.claim(QUEUES, limit=_ALL, worker="w3", lease=_LEASE, now=now)
        pair.sweep(now)
        claims = [record.claim for record in sorted(pair.model.running(), key=lambda record: record.payload)]
        for held in _batches(claims, most):
            pair.extend(held, lease=2 * _LEASE, now=now)
        pair.sweep(now)
        stale = [claim if n % 6 else claim._replace(attempt=9) for n, claim in enumerate(claims)]
        settled = [_outcome(n, claim, now) for n, claim in enumerate(stale)]
        for outcomes in _batches(settled, most):
            pair.settle(outcomes, now=now)
        pair.sweep(now)
        _change(pair, now)


def _page(pair: Pair, middle: UUID) -> None:
    for filter in (Filter(), Filter(tags=["crowd"], kinds=KINDS), Filter(queues=QUEUES[:2])):
        for after in (None, middle, UUID(int=2**128 - 1)):
            pair.page(filter, limit=_ALL, after=after)


def _change(pair: Pair, now: datetime) -> None:
    crowd: dict[str, Any] = {"tags": ["crowd"]}
    pair.rescue(limit=_ALL, now=now + 2 * _LEASE)
    pair.sweep(now)
    pair.cancel(Filter(kinds=KINDS[:1], **crowd), limit=_ALL, now=now)
    pair.requeue(Filter(states=[State.CANCELLED, State.COMPLETED], **crowd), limit=120, now=now)
    pair.sweep(now)
    pair.purge([State.DISCARDED], before=now + timedelta(days=1), limit=_ALL)
    pair.delete(Filter(**crowd), limit=_ALL)
    pair.sweep(now)


def _outcome(n: int, claim: Claim, now: datetime) -> Outcome:
    outcomes: Sequence[Outcome] = (
        Complete(claim, b"done"),
        Retry(claim, now, _ERROR),
        Discard(claim, _ERROR),
        Release(claim),
        Cancel(claim),
    )
    return outcomes[n % len(outcomes)]


def _batches(items: Sequence[ItemT], most: int) -> Iterator[Sequence[ItemT]]:
    return (items[n : n + most] for n in range(0, len(items), most))
