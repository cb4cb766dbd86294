"""Procrastinate with psycopg, and a worker of 20 concurrent jobs."""

import asyncio
import contextlib
from time import monotonic

import procrastinate
from child import batches, begin, pause_seconds, picked_up, until_end


def _app(url: str) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="noop")
    async def noop(sent: float) -> None:
        if sent:
            picked_up(sent)

    return app


def setup(url: str) -> None:
    """Create the tables."""

    async def make() -> None:
        app = _app(url)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(make())


def enqueue_one(url: str, jobs: int) -> float:
    """Enqueue one by one."""

    async def put() -> float:
        app = _app(url)
        async with app.open_async():
            began = monotonic()
            for _ in range(jobs):
                await app.tasks["noop"].defer_async(sent=0.0)
            return monotonic() - began

    return asyncio.run(put())


def enqueue_batch(url: str, jobs: int) -> float:
    """Enqueue in batches."""

    async def put() -> float:
        app = _app(url)
        async with app.open_async():
            began = monotonic()
            for numbers in batches(jobs):
                await app.tasks["noop"].batch_defer_async(*[{"sent": 0.0}] * len(numbers))
            return monotonic() - began

    return asyncio.run(put())


def ping(url: str, times: int) -> None:
    """Enqueue pings."""

    async def put() -> None:
        app = _app(url)
        async with app.open_async():
            for _ in range(times):
                await app.tasks["noop"].defer_async(sent=monotonic())
                await asyncio.sleep(pause_seconds())

    asyncio.run(put())


def work(url: str) -> None:
    """Work until standard input ends."""

    async def run() -> None:
        app = _app(url)
        async with app.open_async():
            begin()
            running = asyncio.create_task(app.run_worker_async(concurrency=20, install_signal_handlers=False))
            await asyncio.to_thread(until_end)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    asyncio.run(run())
