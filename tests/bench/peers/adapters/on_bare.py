"""The limits of `bench.workloads`: the sleeps and computations of its jobs, without a queue."""

import asyncio
from itertools import repeat
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


def work(target: str, jobs: int, loops: int) -> None:
    """Do the computations of this many jobs, and report the end."""
    begin()
    for _ in range(jobs):
        compute(loops)
    print(jobs, monotonic(), flush=True)
