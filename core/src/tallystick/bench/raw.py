"""Works that call the backend without a runner: the limit of the store on this machine, and claims at depth."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from ..contract.backend import Backend
from ..contract.outcomes import Complete
from ..contract.records import NewRecord
from .jobs import QUEUE
from .session import Session, rate

INSERTED = 1_000
CLAIMED = 1_000
"""The default of the setting `batch`."""

LEASE = timedelta(minutes=5)


def insert_one_by_one(session: Session) -> list[float]:
    """Insert single records."""
    records = _records(session.sizes.single)
    with session.backend() as backend:
        backend.insert(_records(1))
        began = monotonic()
        for record in records:
            backend.insert([record])
        return [rate(len(records), began)]


def insert_in_batches(session: Session) -> list[float]:
    """Insert batches of records."""
    with session.backend() as backend:
        backend.insert(_records(1))
        batches = [_records(size) for size in session.batches(session.sizes.jobs, INSERTED)]
        began = monotonic()
        for batch in batches:
            backend.insert(batch)
        return [rate(session.sizes.jobs, began)]


def claim_and_settle(session: Session) -> list[float]:
    """Claim batches and complete them, in one thread."""
    with session.backend() as backend:
        _insert(session, backend, session.sizes.jobs)
        return [_work(backend, session.sizes.jobs)]


def among_due(session: Session) -> list[float]:
    """Claim and complete, while many more jobs are due."""
    return _at_depth(session, "due", lambda backend: _insert(session, backend, session.sizes.depth))


def among_future(session: Session) -> list[float]:
    """Claim and complete, while many jobs of a higher priority are due tomorrow."""

    def fill(backend: Backend) -> None:
        _insert(session, backend, session.sizes.depth, run_at=timedelta(days=1), priority=9)

    return _at_depth(session, "future", fill)


def among_finished(session: Session) -> list[float]:
    """Claim and complete, with many records of completed jobs in the store."""

    def fill(backend: Backend) -> None:
        _insert(session, backend, session.sizes.depth)
        session.report("filling a store: complete the jobs")
        _work(backend, session.sizes.depth)

    return _at_depth(session, "finished", fill)


def _at_depth(session: Session, name: str, fill: Callable[[Backend], None]) -> list[float]:
    backend = session.kept(name, fill)
    _insert(session, backend, session.sizes.claimed)
    return [_work(backend, session.sizes.claimed)]


def _insert(
    session: Session, backend: Backend, count: int, *, run_at: timedelta | None = None, priority: int = 0
) -> None:
    inserted = 0
    for size in session.batches(count, INSERTED):
        backend.insert(_records(size, run_at=run_at, priority=priority))
        inserted += size
        session.report(f"filling a store: {inserted:,} of {count:,} jobs")


def _work(backend: Backend, count: int) -> float:
    """Claim and complete this many jobs; return the jobs per second."""
    began, done = monotonic(), 0
    while done < count:  # a claim may return fewer: a due time is rounded up to the precision of the store
        size = min(CLAIMED, count - done, backend.capabilities.max_batch)
        claimed = backend.claim([QUEUE], limit=size, worker="bench", lease=LEASE)
        backend.settle([Complete(record.claim) for record in claimed])
        done += len(claimed)
    return rate(count, began)


def _records(count: int, *, run_at: timedelta | None = None, priority: int = 0) -> list[NewRecord]:
    return [
        NewRecord(kind="bench:noop", payload=b'{"number":%d}' % n, queue=QUEUE, run_at=run_at, priority=priority)
        for n in range(count)
    ]
