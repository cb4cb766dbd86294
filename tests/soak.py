"""Run many jobs through one worker, and check that its memory does not grow.

`PYTHONPATH=tests python tests/soak.py {memory,sqlite,postgres} [--jobs 200000]`

One process enqueues and works. A fifth of the handlers are async, and one job of 50 fails once and is retried. The
script prints the memory after each tenth of the jobs. It fails if a job did not end as completed, or if the memory grew
by more than `ALLOWED` from the second tenth to the last.
"""

import argparse
import gc
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

from servers import postgres
from support import eventually
from tallystick import Context, Fixed, Runner
from tallystick.processes.limits import used_memory

STORES = ("memory", "sqlite", "postgres")
TENTHS = 10
ALLOWED = 10 * 2**20
"""Bytes. Memory that the allocator holds varies by some MiB."""

_HOUR = 3_600
_BATCH = 500


def soak(url: str, jobs: int) -> list[int]:
    """Run the jobs, and return the resident memory after each tenth of them, in bytes."""
    runner = Runner(url, concurrency=8, keep_completed=timedelta(0), maintenance=timedelta(seconds=1))
    jobs_of = _kinds(runner)
    memory: list[int] = []
    with runner:
        runner.start()
        for tenth in range(1, TENTHS + 1):
            began = monotonic()
            for first in range((tenth - 1) * jobs // TENTHS, tenth * jobs // TENTHS, _BATCH):
                last = min(first + _BATCH, tenth * jobs // TENTHS)
                runner.enqueue_batch([jobs_of[number % 5 == 0](number) for number in range(first, last)])
                _wait_for(runner, first - _BATCH)
            _wait_for(runner, tenth * jobs // TENTHS)
            gc.collect()
            memory.append(used_memory())
            rate = jobs / TENTHS / (monotonic() - began)
            print(f"{tenth * jobs // TENTHS:>9,} jobs  {memory[-1] / 2**20:6.1f} MiB  {rate:7,.0f} jobs/s", flush=True)
        ended = runner.snapshot()
    print(
        f"completed {ended.completed:,}, retried {ended.retried:,}, discarded {ended.discarded:,}, lost {ended.lost:,}"
    )
    assert (ended.completed, ended.discarded, ended.lost) == (jobs, 0, 0)
    return memory


def _wait_for(runner: Runner, completed: int) -> None:
    """Wait until so many jobs are completed, so that the backlog stays short."""
    eventually(lambda: runner.snapshot().completed >= completed, seconds=_HOUR)


def _kinds(runner: Runner) -> tuple[Any, Any]:
    @runner.job("sync", retry=Fixed(timedelta(0)))
    def sync(number: int, ctx: Context) -> int:
        if number % 50 == 1 and ctx.attempt == 1:
            raise ValueError(number)
        return number * 2

    @runner.job("async")
    async def coroutine(number: int, ctx: Context) -> int:
        return number * 2

    return sync.job, coroutine.job


@contextmanager
def _store(name: str) -> Iterator[str]:
    if name == "memory":
        yield "memory://"
    elif name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/jobs.db"
    else:
        with postgres(None) as url:
            yield url


def main() -> None:
    """Run the jobs on one store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", choices=STORES)
    parser.add_argument("--jobs", type=int, default=200_000)
    arguments = parser.parse_args()
    logging.getLogger("tallystick").setLevel(logging.ERROR)  # retries are logged as warnings
    with _store(arguments.store) as url:
        memory = soak(url, arguments.jobs)
    grown = memory[-1] - memory[1]
    print(f"from the second tenth to the last, memory grew by {grown / 2**20:.1f} MiB")
    if grown > ALLOWED:
        sys.exit(f"more than {ALLOWED / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
