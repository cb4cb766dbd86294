"""Works: enqueue."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

from ..runner import Runner
from .jobs import Noop, noops, opened_runner
from .sitting import Sitting, rate

THREADS = 8
BATCH = 1_000


def one_by_one(sitting: Sitting) -> list[float]:
    """Enqueue in one thread."""
    jobs = noops(sitting.sizes.single)
    with _enqueuer(sitting) as runner:
        began = monotonic()
        for job in jobs:
            runner.enqueue(job)
        return [rate(len(jobs), began)]


def by_threads(sitting: Sitting) -> list[float]:
    """Enqueue one by one in several threads."""
    each, stopping = noops(sitting.sizes.single), Event()
    with _enqueuer(sitting) as runner, ThreadPoolExecutor(THREADS) as threads:

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


def in_batches(sitting: Sitting) -> list[float]:
    """Enqueue in batches."""
    with _enqueuer(sitting) as runner:
        batches = [noops(size) for size in sitting.batches(sitting.sizes.jobs, BATCH)]
        began = monotonic()
        for batch in batches:
            runner.enqueue_batch(batch)
        return [rate(sitting.sizes.jobs, began)]


@contextmanager
def _enqueuer(sitting: Sitting) -> Iterator[Runner]:
    """Yield a runner that has enqueued a job, so that its connections are open."""
    with sitting.store() as url, opened_runner(url) as runner:
        runner.enqueue(Noop(number=0))
        yield runner
