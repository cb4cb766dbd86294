"""Works: drain a backlog, work while jobs arrive, and pick up single jobs."""

import random
from collections.abc import Callable
from math import ceil
from time import monotonic, sleep

from .jobs import Ping, noops, opened_runner
from .session import Session, rate
from .workers import ready_workers

BATCH = 1_000
MIXED_BATCH = 100
PERCENTILES = (50, 95, 99)
PAUSE = (0.005, 0.03)
"""The shortest and the longest pause between two pings in seconds. Random pauses do not agree with any polling."""


def drain(processes: int) -> Callable[[Session], list[float]]:
    """Return a work: processes work jobs that were enqueued before."""

    def work(session: Session) -> list[float]:
        jobs = session.sizes.jobs
        with session.store() as url, opened_runner(url) as runner:
            for size in session.batches(jobs, BATCH):
                runner.enqueue_batch(noops(size))
            with ready_workers(url, processes, shared=session.capabilities.multi_process) as workers:
                began = workers.begin()
                return [rate(jobs, began, workers.wait_for(jobs))]

    return work


def mixed(session: Session) -> list[float]:
    """Enqueue in batches of 100 while one worker works, until all jobs have completed."""
    jobs = session.sizes.jobs
    shared = session.capabilities.multi_process
    with session.store() as url, opened_runner(url) as runner, ready_workers(url, 1, shared=shared) as workers:
        batches = [noops(size) for size in session.batches(jobs, MIXED_BATCH)]
        began = workers.begin()
        for batch in batches:
            runner.enqueue_batch(batch)
        return [rate(jobs, began, workers.wait_for(jobs))]


def pick_up(session: Session) -> list[float]:
    """Return percentiles of the milliseconds from an enqueue to the handler in an idle worker."""
    shared = session.capabilities.multi_process
    with session.store() as url, opened_runner(url) as runner, ready_workers(url, 1, shared=shared) as workers:
        workers.begin()
        latencies = []
        for _ in range(session.sizes.pings + 1):
            runner.enqueue(Ping(sent=monotonic()))
            latencies.append(workers.wait_for_ping() * 1_000)
            sleep(random.uniform(*PAUSE))
        return percentiles(latencies[1:])  # the worker was not idle yet at the first one


def percentiles(values: list[float]) -> list[float]:
    """Return the percentiles by nearest rank."""
    ordered = sorted(values)
    return [ordered[ceil(len(ordered) * percent / 100) - 1] for percent in PERCENTILES]
