"""Awa, whose engine is in Rust: COPY for batches, and a queue of 1,000 concurrent jobs with four claimers."""

import asyncio
from dataclasses import dataclass
from time import monotonic

from awa import AsyncClient
from child import batches, begin, pause_seconds, picked_up, report_ends, until_end

QUEUE = "bench"

_HOT = {"name": QUEUE, "max_workers": 1_000, "claimers": 4, "claim_batch_size": 500}


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
            ends: list[float] = []

            @client.task(Noop, queue=QUEUE)
            async def noop(job: object) -> None:
                if sent := job.args.sent:  # type: ignore[attr-defined]
                    picked_up(sent)
                else:
                    ends.append(monotonic())

            begin()
            await client.start([_HOT])
            reports = asyncio.create_task(report_ends(ends))
            await asyncio.to_thread(until_end)
            reports.cancel()
            await client.shutdown()

    asyncio.run(run())
