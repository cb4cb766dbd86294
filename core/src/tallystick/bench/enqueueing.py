"""Works: enqueue."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

from ..runner.runner import Runner
from .jobs import Noop, noops, opened_runner
from .session import Session, rate

THREADS = 8
BATCH = 1_000


def one_by_one(session: Session) -> list[float]:
    """Enqueue in one thread."""
    jobs = noops(session.sizes.single)
    with _enqueuer(session) as runner:
        began = monotonic()
        for job in jobs:
            runner.enqueue(job)
        return [rate(len(jobs), began)]


def by_threads(session: Session) -> list[float]:
    """Enqueue one by one in several threads."""
    each, stopping = noops(session.sizes.single), Event()
    with _enqueuer(session) as runner, ThreadPoolExecutor(THREADS) as threads:

        def enqueue() -> None:
            for job in each:
                if stopping.is_set():
                    return
                runner.enqueue(job)

        began = monotonic()
        try:
            for enqueued in [threads.submit(enqueue) for _ in range(THREADS)]:
                enqueued.result()
            return [rate(len(each) * THREADS, began)]
        finally:
            stopping.set()  # after Ctrl-C, the pool waits for its threads


def in_batches(session: Session) -> list[float]:
    """Enqueue in batches."""
    with _enqueuer(session) as runner:
        batches = [noops(size) for size in session.batches(session.sizes.jobs, BATCH)]
        began = monotonic()
        for batch in batches:
            runner.enqueue_batch(batch)
        return [rate(session.sizes.jobs, began)]


@contextmanager
def _enqueuer(session: Session) -> Iterator[Runner]:
    """Yield a runner that has enqueued a job, so that its connections are open."""
    with session.store() as url, opened_runner(url) as runner:
        runner.enqueue(Noop(number=0))
        yield runner
