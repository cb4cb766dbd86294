"""PgQueuer in its fastest configuration: asyncpg, a pool, batches of 1,000."""

import asyncio
from datetime import timedelta
from time import monotonic

import asyncpg
from child import batches, begin, pause_seconds, picked_up, until_end
from pgqueuer import AsyncpgPoolDriver, PgQueuer, Queries
from pgqueuer.models import Job


def setup(url: str) -> None:
    """Create the tables."""

    async def make() -> None:
        async with asyncpg.create_pool(url) as pool:
            await Queries(AsyncpgPoolDriver(pool)).install()

    asyncio.run(make())


def enqueue_one(url: str, jobs: int) -> float:
    """Enqueue one by one."""

    async def put() -> float:
        async with asyncpg.create_pool(url) as pool:
            queries = Queries(AsyncpgPoolDriver(pool))
            began = monotonic()
            for n in range(jobs):
                await queries.enqueue(["noop"], [b'{"n": %d}' % n], [0])
            return monotonic() - began

    return asyncio.run(put())


def enqueue_batch(url: str, jobs: int) -> float:
    """Enqueue in batches."""

    async def put() -> float:
        async with asyncpg.create_pool(url) as pool:
            queries = Queries(AsyncpgPoolDriver(pool))
            began = monotonic()
            for numbers in batches(jobs):
                payloads: list[bytes | None] = [b'{"n": %d}' % n for n in numbers]
                await queries.enqueue(["noop"] * len(payloads), payloads, [0] * len(payloads))
            return monotonic() - began

    return asyncio.run(put())


def ping(url: str, times: int) -> None:
    """Enqueue pings."""

    async def put() -> None:
        async with asyncpg.create_pool(url) as pool:
            queries = Queries(AsyncpgPoolDriver(pool))
            for _ in range(times):
                await queries.enqueue(["noop"], [str(monotonic()).encode()], [0])
                await asyncio.sleep(pause_seconds())

    asyncio.run(put())


def work(url: str) -> None:
    """Work until standard input ends."""

    async def run() -> None:
        async with asyncpg.create_pool(url, min_size=4, max_size=10) as pool:
            pgq = PgQueuer(AsyncpgPoolDriver(pool))

            @pgq.entrypoint("noop")
            async def noop(job: Job) -> None:
                if job.payload and not job.payload.startswith(b"{"):
                    picked_up(float(job.payload))

            begin()
            running = asyncio.create_task(pgq.run(batch_size=1_000, dequeue_timeout=timedelta(seconds=1)))
            await asyncio.to_thread(until_end)
            pgq.shutdown.set()
            await running

    asyncio.run(run())
