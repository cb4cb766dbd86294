"""Attempts that exceed their timeout."""

import asyncio
from threading import Event
from uuid import UUID

import pytest
from tallystick import Context, Fixed, Record, Runner, State, Stop, Stopped

from ..helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, MakeRunner, eventually

SOON = SECOND / 25


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Return a runner with one slot that checks its jobs every 20 ms."""
    return make_runner(concurrency=1, lease=SHORT_LEASE)


@pytest.fixture
def release() -> Event:
    """Return an event that a blocked handler waits for."""
    return Event()


def timed_out(runner: Runner, id: UUID) -> Record:
    """Wait until a job is discarded by its timeout, and return its record."""
    eventually(lambda: runner.get(id).state is State.DISCARDED)
    record = runner.get(id)
    assert record.last_error is not None
    assert record.last_error.type == "TimeoutError"
    return record


def test_sync(runner: Runner, release: Event) -> None:
    """A sync handler that exceeds its timeout fails; its thread counts as stuck and is replaced."""

    @runner.job("block", timeout=SOON, max_attempts=1)
    def block(payload: None, ctx: Context) -> None:
        release.wait()

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    runner.start()
    record = timed_out(runner, runner.enqueue(block.job(None)).id)
    assert record.last_error is not None
    assert "0:00:00.040" in record.last_error.message
    assert runner.result(runner.enqueue(echo.job(7)), timeout=LONG) == 7
    assert runner.snapshot().stuck == 1
    release.set()
    eventually(lambda: runner.snapshot().stuck == 0)
    assert runner.result(runner.enqueue(echo.job(8)), timeout=LONG) == 8


def test_sync_late_outcome(runner: Runner, release: Event) -> None:
    """The result of a sync handler after its timeout is not recorded."""

    @runner.job("block", timeout=SOON, max_attempts=1)
    def block(payload: None, ctx: Context) -> int:
        release.wait()
        return 7

    runner.start()
    handle = runner.enqueue(block.job(None))
    timed_out(runner, handle.id)
    release.set()
    eventually(lambda: runner.snapshot().stuck == 0)
    assert runner.get(handle).state is State.DISCARDED
    assert runner.snapshot().completed == 0


def test_sync_sees_its_timeout(runner: Runner) -> None:
    """A sync handler that checks its context learns that it has timed out."""
    stops: list[tuple[Stop | None, str]] = []

    @runner.job("ask", timeout=SOON, max_attempts=1)
    def ask(payload: None, ctx: Context) -> None:
        eventually(lambda: ctx.should_stop)
        try:
            ctx.check()
        except Stopped as exc:
            stops.append((ctx.stop, str(exc)))
            raise

    runner.start()
    handle = runner.enqueue(ask.job(None))
    timed_out(runner, handle.id)
    [(stop, message)] = eventually(lambda: stops)
    assert stop is Stop.TIMED_OUT
    assert str(handle.id) in message


def test_async(runner: Runner) -> None:
    """An async handler that exceeds its timeout is cancelled and fails, and its slot is free."""
    cancelled = Event()

    @runner.job("block", timeout=SOON, max_attempts=1)
    async def block(payload: None, ctx: Context) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        return payload

    runner.start()
    timed_out(runner, runner.enqueue(block.job(None)).id)
    assert cancelled.is_set()
    assert runner.result(runner.enqueue(echo.job(7)), timeout=LONG) == 7


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_retried(runner: Runner, release: Event, asynchronous: bool) -> None:
    """An attempt that timed out is retried, like any other failed attempt."""

    def sync(payload: None, ctx: Context) -> int:
        if ctx.attempt == 1:
            release.wait()
        return ctx.attempt

    async def coroutine(payload: None, ctx: Context) -> int:
        if ctx.attempt == 1:
            await asyncio.Event().wait()
        return ctx.attempt

    job = runner.job("slow", timeout=SOON, retry=Fixed(AT_ONCE))(coroutine if asynchronous else sync)
    runner.start()
    assert runner.result(runner.enqueue(job.job(None)).id, timeout=LONG) == 2
    release.set()


def test_in_time(runner: Runner) -> None:
    """A handler that returns in time does not notice its timeout."""

    @runner.job("sync", timeout=LONG)
    def sync(payload: None, ctx: Context) -> bool:
        return ctx.should_stop

    @runner.job("async", timeout=LONG)
    async def coroutine(payload: None, ctx: Context) -> bool:
        return ctx.should_stop

    runner.start()
    for job in (sync, coroutine):
        assert runner.result(runner.enqueue(job.job(None)), timeout=LONG) is False
