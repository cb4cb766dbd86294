"""The limit with Tallystick's guarantees: its statements in a bare loop, without runner, validation and handlers."""

from datetime import timedelta
from time import monotonic

from child import batches, begin
from on_tallystick import setup
from tallystick import Complete, NewRecord, open_backend

__all__ = ["enqueue_batch", "enqueue_one", "setup", "work"]


def enqueue_one(url: str, jobs: int) -> float:
    """Insert single records."""
    with open_backend(url) as backend:
        backend.insert([_record(0)])
        began = monotonic()
        for n in range(jobs):
            backend.insert([_record(n)])
        return monotonic() - began


def enqueue_batch(url: str, jobs: int) -> float:
    """Insert batches of records."""
    with open_backend(url) as backend:
        backend.queues()
        began = monotonic()
        for numbers in batches(jobs):
            backend.insert([_record(n) for n in numbers])
        return monotonic() - began


def work(url: str) -> None:
    """Claim and complete batches of jobs until none is left."""
    with open_backend(url) as backend:
        backend.queues()
        begin()
        while claimed := backend.claim(["default"], limit=1_000, worker="raw", lease=timedelta(minutes=5)):
            backend.settle([Complete(record.claim) for record in claimed])


def _record(n: int) -> NewRecord:
    return NewRecord(kind="bench:noop", payload=b'{"n": %d}' % n)
