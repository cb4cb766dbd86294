"""Oban for Python, with a queue of 200 concurrent jobs, on uvloop as its own command line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import uvloop
from child import batches, begin, pause_seconds, picked_up, until_end
from oban import Oban, worker
from oban.schema import install


class _Noop:
    async def process(self, job: Any) -> None:
        if "sent" in job.args:
            picked_up(job.args["sent"])


Noop: Any = worker(queue="default")(_Noop)
"""The worker, which does nothing or reports its latency. The decorator adds methods to the class."""


@asynccontextmanager
async def _oban(url: str, **options: Any) -> AsyncIterator[Any]:
    pool = await Oban.create_pool(url, min_size=4, max_size=10)
    try:
        async with Oban(pool=pool, **options) as oban:
            yield oban
    finally:
        await pool.close()


def setup(url: str) -> None:
    """Create the tables."""

    async def make() -> None:
        pool = await Oban.create_pool(url)
        try:
            await install(pool)
        finally:
            await pool.close()

    uvloop.run(make())


def enqueue_one(url: str, jobs: int) -> float:
    """Enqueue one by one."""

    async def put() -> float:
        async with _oban(url) as oban:
            began = monotonic()
            for n in range(jobs):
                await oban.enqueue(Noop.new({"n": n}))
            return monotonic() - began

    return float(uvloop.run(put()))


def enqueue_batch(url: str, jobs: int) -> float:
    """Enqueue in batches."""

    async def put() -> float:
        async with _oban(url) as oban:
            began = monotonic()
            for numbers in batches(jobs):
                await oban.enqueue_many([Noop.new({"n": n}) for n in numbers])
            return monotonic() - began

    return float(uvloop.run(put()))


def ping(url: str, times: int) -> None:
    """Enqueue pings."""

    async def put() -> None:
        async with _oban(url) as oban:
            for _ in range(times):
                await oban.enqueue(Noop.new({"sent": monotonic()}))
                await asyncio.sleep(pause_seconds())

    uvloop.run(put())


def work(url: str) -> None:
    """Work until standard input ends."""

    async def run() -> None:
        begin()
        async with _oban(url, queues={"default": 200}):
            await asyncio.to_thread(until_end)

    uvloop.run(run())
