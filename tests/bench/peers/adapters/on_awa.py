"""Awa, whose engine is in Rust: COPY for batches, and a queue of 200 concurrent jobs."""

import asyncio
from dataclasses import dataclass
from time import monotonic

from awa import AsyncClient
from child import batches, begin, pause_seconds, picked_up, until_end

QUEUE = "bench"


@dataclass
class Noop:
    """Does nothing, or reports its latency."""

    sent: float = 0.0


def setup(url: str) -> None:
    """Create the tables."""

    async def make() -> None:
        async with AsyncClient(url) as client:
            await client.migrate()
            await client.install_queue_storage()

    asyncio.run(make())


def enqueue_one(url: str, jobs: int) -> float:
    """Enqueue one by one."""

    async def put() -> float:
        async with AsyncClient(url) as client:
            began = monotonic()
            for _ in range(jobs):
                await client.insert(Noop(), queue=QUEUE)
            return monotonic() - began

    return asyncio.run(put())


def enqueue_batch(url: str, jobs: int) -> float:
    """Enqueue in batches."""

    async def put() -> float:
        async with AsyncClient(url) as client:
            began = monotonic()
            for numbers in batches(jobs):
                await client.enqueue_many_copy([Noop() for _ in numbers], queue=QUEUE)
            return monotonic() - began

    return asyncio.run(put())


def ping(url: str, times: int) -> None:
    """Enqueue pings."""

    async def put() -> None:
        async with AsyncClient(url) as client:
            for _ in range(times):
                await client.insert(Noop(sent=monotonic()), queue=QUEUE)
                await asyncio.sleep(pause_seconds())

    asyncio.run(put())


def work(url: str) -> None:
    """Work until standard input ends."""

    async def run() -> None:
        async with AsyncClient(url, max_connections=20) as client:

            @client.task(Noop, queue=QUEUE)
            async def noop(job: object) -> None:
                if sent := job.args.sent:  # type: ignore[attr-defined]
                    picked_up(sent)

            begin()
            await client.start([(QUEUE, 200)])
            await asyncio.to_thread(until_end)
            await client.shutdown()

    asyncio.run(run())


def wait_until_empty(url: str) -> float:
    """Return when no job waits or runs any more."""

    async def watch() -> float:
        async with AsyncClient(url) as client:
            while sum(stat.total_queued + stat.running for stat in await client.queue_stats()):
                await asyncio.sleep(0.05)
            return monotonic()

    return asyncio.run(watch())
