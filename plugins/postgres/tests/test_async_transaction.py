"""Inserting in a transaction that belongs to an event loop."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as alchemy
from support import PATIENCE
from tallystick import Context, Fixed, InvalidArgument, NewRecord, Runner
from tallystick_postgres import PostgresBackend

from .callers import ASYNC, async_caller, statement


@pytest.fixture
def runner(url: str, backend: PostgresBackend) -> Iterator[Runner]:
    with Runner(url) as runner:

        @runner.job("greet")
        def greet(name: str, ctx: Context) -> str:
            return f"Hello, {name}!"

        yield runner


def greeting(runner: Runner) -> Any:
    return runner.definitions["greet"].job("Ada")


@pytest.mark.parametrize("kind", ASYNC)
def test_committed_with_the_callers_rows(runner: Runner, postgres_url: str, kind: str) -> None:
    """`aenqueue` takes part in the transaction of an async connection."""

    async def main() -> None:
        async with async_caller(kind, postgres_url) as connection:
            job = await runner.aenqueue(greeting(runner), transaction=connection, unique_key="key")
            again = await runner.aenqueue(greeting(runner), transaction=connection, unique_key="key")
            assert (job.duplicate, again.duplicate, again.id) == (False, True, job.id)
            assert runner.backend.stats().total == 0
            await connection.commit()
            assert (await runner.aget(job)).payload == b'"Ada"'

    asyncio.run(main())


@pytest.mark.parametrize("kind", ASYNC)
def test_rolled_back_with_the_callers_rows(runner: Runner, postgres_url: str, kind: str) -> None:
    """If the caller rolls back, the job is not stored."""

    async def main() -> None:
        async with async_caller(kind, postgres_url) as connection:
            await runner.aenqueue(greeting(runner), transaction=connection)
            await connection.rollback()

    asyncio.run(main())
    assert runner.backend.stats().total == 0


@pytest.mark.parametrize("kind", ASYNC)
def test_unusable_transactions_are_rejected(runner: Runner, postgres_url: str, kind: str) -> None:
    """An aborted transaction and a connection in autocommit mode are rejected."""
    options: dict[str, Any] = {"autocommit": True} if kind == "psycopg" else {"isolation_level": "AUTOCOMMIT"}

    async def main() -> None:
        async with async_caller(kind, postgres_url) as connection:
            with pytest.raises(Exception, match="division by zero"):
                await connection.execute(statement(connection, "SELECT 1 / 0"))
            with pytest.raises(InvalidArgument, match="roll it back"):
                await runner.aenqueue(greeting(runner), transaction=connection)
        async with async_caller(kind, postgres_url, **options) as connection:
            with pytest.raises(InvalidArgument, match="autocommit"):
                await runner.aenqueue(greeting(runner), transaction=connection)

    asyncio.run(main())
    assert runner.backend.stats().total == 0


@pytest.mark.parametrize("kind", ASYNC)
def test_a_blocking_call_is_rejected(runner: Runner, postgres_url: str, kind: str) -> None:
    """A blocking call with an async connection is rejected, in any thread; the message names the async variant."""

    async def main() -> None:
        async with async_caller(kind, postgres_url) as connection:
            with pytest.raises(InvalidArgument, match=r"aenqueue"):
                runner.enqueue(greeting(runner), transaction=connection)
            with pytest.raises(InvalidArgument, match=r"aenqueue"):
                await asyncio.to_thread(runner.backend.insert, [NewRecord(kind="k")], transaction=connection)

    asyncio.run(main())


@pytest.mark.parametrize("kind", ASYNC)
def test_a_cancelled_call_releases_the_connection(runner: Runner, postgres_url: str, kind: str) -> None:
    """If a call is cancelled while its insert waits for a lock, the connection can be rolled back and used."""

    async def main() -> None:
        with psycopg.connect(postgres_url) as other:
            runner.backend.insert([NewRecord(kind="k", unique_key="key")], transaction=other)
            async with async_caller(kind, postgres_url) as connection:
                call = asyncio.create_task(runner.aenqueue(greeting(runner), transaction=connection, unique_key="key"))
                await asyncio.to_thread(_until_a_session_waits, postgres_url)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                await connection.rollback()
                await connection.execute(statement(connection, "SELECT 1"))
                await connection.rollback()
            other.commit()

    asyncio.run(main())
    assert runner.backend.stats().total == 1


def _until_a_session_waits(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        while not connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0]:  # type: ignore[index]
            pass


@pytest.mark.parametrize("kind", ASYNC)
def test_an_async_handler_completes_its_job(url: str, backend: PostgresBackend, postgres_url: str, kind: str) -> None:
    """`acomplete` takes part in the handler's transaction; after a rollback, the attempt continues."""
    with Runner(url, poll=timedelta(milliseconds=20)) as runner:

        @runner.job("greet", retry=Fixed(timedelta(0)))
        async def greet(name: str, ctx: Context) -> str:
            async with async_caller(kind, postgres_url) as connection:
                result = await ctx.acomplete(f"Hello, {name}!", transaction=connection)
                if ctx.attempt == 2:
                    await connection.commit()
                    return result
            raise ValueError("rolled back")

        runner.start()
        job = runner.enqueue(greet.job("Ada"))
        assert runner.result(job, timeout=timedelta(seconds=PATIENCE)) == "Hello, Ada!"
        assert runner.get(job).attempt == 2


def test_a_scoped_session_is_rejected(runner: Runner) -> None:
    """A scoped session is rejected, because it is another session in another task or thread."""
    for scoped in (
        orm.scoped_session(orm.sessionmaker()),
        alchemy.async_scoped_session(alchemy.async_sessionmaker(), asyncio.current_task),
    ):
        with pytest.raises(InvalidArgument, match=r"transaction=session\(\)"):
            runner.enqueue(greeting(runner), transaction=scoped)
