"""The plain path of jobs through a backend, with a reading of the counters before and after each phase."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from time import time_ns
from uuid import UUID

from tallystick import Backend, Claim, Complete, NewRecord

JOBS = 1_000
"""Each cost is the cost of this many jobs."""

BATCH = 100

PAYLOAD = b'{"to": "ada@example.org", "subject": "Welcome", "template": "welcome", "order": 1}'

_LEASE = timedelta(minutes=5)

Read = Callable[[], dict[str, int]]
"""Reads counters that only grow."""


def measure(backend: Backend, read: Read) -> dict[str, dict[str, int]]:
    """Return the cost of each phase for `JOBS` jobs: what it added to each counter."""
    first = _first_id()
    ids = iter(range(first, first + 10 * JOBS))
    _warm_up(backend, ids)
    read()
    costs = {}
    batch, single = _new(ids, JOBS), _new(ids, JOBS)
    before = read()
    for phase, work in (
        ("insert_batch", lambda: backend.insert(batch)),
        ("claim", lambda: _claim(backend)),
        ("settle", lambda: _settle(backend, [record.id for record in batch])),
        ("insert_single", lambda: [backend.insert([record]) for record in single]),
    ):
        work()
        after = read()
        costs[phase] = {name: after[name] - before[name] for name in after}
        before = after
    return costs


def _first_id() -> int:
    """Return a UUID of version 7, as a client would create it now.

    The ids after it are consecutive, so that every measurement splits the same index pages.
    """
    return (time_ns() // 1_000_000 << 80) | (7 << 76) | (2 << 62)


def _warm_up(backend: Backend, ids: Iterator[int]) -> None:
    """Open the connections, make the queue known, and leave some finished jobs."""
    new = _new(ids, BATCH)
    backend.insert(new[:-1])
    backend.insert(new[-1:])
    _claim(backend, BATCH)
    _settle(backend, [record.id for record in new])


def _new(ids: Iterator[int], count: int) -> list[NewRecord]:
    return [NewRecord(kind="send", payload=PAYLOAD, id=UUID(int=next(ids))) for _ in range(count)]


def _claim(backend: Backend, count: int = JOBS) -> None:
    for _ in range(0, count, BATCH):
        claimed = backend.claim(["default"], limit=BATCH, worker="worker-1", lease=_LEASE)
        assert len(claimed) == BATCH


def _settle(backend: Backend, ids: list[UUID]) -> None:
    claims = [Complete(Claim(id, 1)) for id in ids]
    for start in range(0, len(ids), BATCH):
        assert all(backend.settle(claims[start : start + BATCH]))
