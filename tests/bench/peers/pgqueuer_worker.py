"""PgQueuer in its fastest configuration: asyncpg, a pool, batches of 500."""

import asyncio
import contextlib
import sys
from datetime import timedelta
from time import time

import asyncpg
from pgqueuer import AsyncpgPoolDriver, PgQueuer, Queries
from pgqueuer.models import Job


async def _queries(pool: asyncpg.Pool) -> Queries:
    return Queries(AsyncpgPoolDriver(pool))


def prepare(url: str) -> None:
    """Create empty tables."""

    async def make() -> None:
        async with asyncpg.create_pool(url) as pool:
            queries = await _queries(pool)
            with contextlib.suppress(asyncpg.PostgresError):
                await queries.uninstall()
            await queries.install()

    asyncio.run(make())


def enqueue(url: str, jobs: int) -> None:
    """Enqueue in batches of 1,000."""

    async def put() -> None:
        async with asyncpg.create_pool(url) as pool:
            queries = await _queries(pool)
            for start in range(0, jobs, 1_000):
                numbers = range(start, min(start + 1_000, jobs))
                payloads: list[bytes | None] = [b'{"n": %d}' % n for n in numbers]
                await queries.enqueue(["noop"] * len(payloads), payloads, [0] * len(payloads))

    asyncio.run(put())


def ping(url: str, times: int, pause: float) -> None:
    """Enqueue one job at a time, with a pause after each."""

    async def put() -> None:
        async with asyncpg.create_pool(url) as pool:
            queries = await _queries(pool)
            for _ in range(times):
                await queries.enqueue(["noop"], [str(time()).encode()], [0])
                await asyncio.sleep(pause)

    asyncio.run(put())


def left(url: str) -> int:
    """Return the number of unfinished jobs; PgQueuer deletes finished ones."""

    async def count() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM pgqueuer"))
        finally:
            await connection.close()

    return asyncio.run(count())


def work(url: str) -> None:
    """Begin at a line on standard input, and work until it ends."""

    async def run() -> None:
        async with asyncpg.create_pool(url, min_size=4, max_size=10) as pool:
            pgq = PgQueuer(AsyncpgPoolDriver(pool))

            @pgq.entrypoint("noop")
            async def noop(job: Job) -> None:
                if job.payload and not job.payload.startswith(b"{"):
                    print(time() - float(job.payload), flush=True)

            print("ready", flush=True)
            sys.stdin.readline()
            running = asyncio.create_task(pgq.run(batch_size=500, dequeue_timeout=timedelta(seconds=1)))
            await asyncio.to_thread(sys.stdin.read)
            pgq.shutdown.set()
            await running

    asyncio.run(run())
