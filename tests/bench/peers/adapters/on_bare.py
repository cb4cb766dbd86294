"""The limits of `bench.workloads`: what its jobs do, without a queue."""

import asyncio
import json
import logging
import os
import traceback
from itertools import repeat
from threading import Event, Thread
from time import monotonic, process_time

from child import begin

SLEEP = 0.01
"""Seconds that an async handler sleeps."""

AT_ONCE = 200
"""How many async handlers sleep at once."""


def compute(loops: int) -> int:
    """Do a fixed amount of arithmetic."""
    total = 0
    for n in range(loops):
        total += n * n % 7
    return total


def calibrate(seconds: float) -> int:
    """Return how many loops of `compute` take this much CPU time here."""
    loops = 1_000_000
    return round(loops * seconds / min(_timed(loops) for _ in range(5)))


def _timed(loops: int) -> float:
    began = process_time()
    compute(loops)
    return process_time() - began


def sleeps(jobs: int) -> float:
    """Sleep this many times, some at once; return the elapsed seconds."""

    async def sleep_all() -> float:
        left = repeat(None, jobs)

        async def sleep() -> None:
            for _ in left:
                await asyncio.sleep(SLEEP)

        began = monotonic()
        await asyncio.gather(*(sleep() for _ in range(AT_ONCE)))
        return monotonic() - began

    return asyncio.run(sleep_all())


def work(target: str, jobs: int, loops: int, threads: int = 1) -> None:
    """Do the computations of this many jobs in some threads, and report the end."""
    begin()
    left = repeat(None, jobs)

    def compute_some() -> None:
        for _ in left:
            compute(loops)

    started = [Thread(target=compute_some) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    print(jobs, monotonic(), flush=True)


def failures(jobs: int) -> list[float]:
    """Call a handler once for each job, half of which fail; return the elapsed seconds and the CPU seconds.

    The standard library formats each failure, once for the record of the job and once for the log.
    """
    logging.basicConfig(filename=os.devnull)
    logger = logging.getLogger("bare")
    records: list[str] = []
    began, cpu = monotonic(), process_time()
    for number in range(jobs):
        try:
            _fail(number)
        except ValueError as exc:
            text = "".join(traceback.format_exception(exc))
            records.append(json.dumps({"type": type(exc).__name__, "message": str(exc), "traceback": text}))
            logger.warning("job %d failed and is retried: %s", number, exc, exc_info=exc)
    return [monotonic() - began, process_time() - cpu]


def _fail(number: int) -> None:
    if number % 2:
        raise ValueError(number)


def wake_ups(seconds: float, times: int) -> float:
    """Wake a thread this many times a second, and do nothing; return the CPU seconds."""
    began, cpu, never = monotonic(), process_time(), Event()
    while monotonic() - began < seconds:
        never.wait(1 / times)
    return process_time() - cpu
