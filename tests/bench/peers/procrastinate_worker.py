"""Procrastinate with psycopg, for its pick-up latency."""

import asyncio
import contextlib
import sys
from time import time

import procrastinate
import psycopg


def _app(url: str) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="noop")
    async def noop(sent: float) -> None:
        if sent:
            print(time() - sent, flush=True)

    return app


def prepare(url: str) -> None:
    """Create empty tables."""

    async def make() -> None:
        app = _app(url)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
        if found == (None,):
            asyncio.run(make())
        else:
            connection.execute("TRUNCATE procrastinate_jobs CASCADE")


def enqueue(url: str, jobs: int) -> None:
    """Enqueue in batches of 1,000."""

    async def put() -> None:
        app = _app(url)
        async with app.open_async():
            for start in range(0, jobs, 1_000):
                some = min(1_000, jobs - start)
                await app.tasks["noop"].batch_defer_async(*[{"sent": 0.0}] * some)

    asyncio.run(put())


def ping(url: str, times: int, pause: float) -> None:
    """Enqueue one job at a time, with a pause after each."""

    async def put() -> None:
        app = _app(url)
        async with app.open_async():
            for _ in range(times):
                await app.tasks["noop"].defer_async(sent=time())
                await asyncio.sleep(pause)

    asyncio.run(put())


def left(url: str) -> int:
    """Return the number of unfinished jobs."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        ).fetchone()
    return int(found[0]) if found else 0


def work(url: str) -> None:
    """Begin at a line on standard input, and work until it ends."""

    async def run() -> None:
        app = _app(url)
        async with app.open_async():
            print("ready", flush=True)
            sys.stdin.readline()
            running = asyncio.create_task(app.run_worker_async(concurrency=20, install_signal_handlers=False))
            await asyncio.to_thread(sys.stdin.read)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    asyncio.run(run())
