"""Attempts that take longer than they may."""

import asyncio
from threading import Event
from uuid import UUID

import pytest
from tallystick import Context, Fixed, Record, Runner, State, Stop, Stopped

from .helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, MakeRunner, eventually

SOON = SECOND / 25


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Make a runner with room for one job, which looks after its jobs every 20 ms."""
    return make_runner(concurrency=1, lease=SHORT_LEASE)


@pytest.fixture
def release() -> Event:
    """Return what a blocked handler waits for."""
    return Event()


def timed_out(runner: Runner, id: UUID) -> Record:
    """Return the record of a job once it was discarded, by its timeout."""
    eventually(lambda: runner.get(id).state is State.DISCARDED)
    record = runner.get(id)
    assert record.last_error is not None
    assert record.last_error.type == "TimeoutError"
    return record


def test_sync(runner: Runner, release: Event) -> None:
    """A sync handler that does not return in time fails; its thread is given up and replaced, and counted as stuck."""

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
    """What a sync handler returns after its time is not recorded."""

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


def test_sync_is_told(runner: Runner) -> None:
    """A sync handler that asks now and then learns that its time is up."""
    told: list[tuple[Stop | None, str]] = []

    @runner.job("ask", timeout=SOON, max_attempts=1)
    def ask(payload: None, ctx: Context) -> None:
        eventually(lambda: ctx.should_stop)
        try:
            ctx.check()
        except Stopped as exc:
            told.append((ctx.stop, str(exc)))
            raise

    runner.start()
    handle = runner.enqueue(ask.job(None))
    timed_out(runner, handle.id)
    [(stop, message)] = eventually(lambda: told)
    assert stop is Stop.TIMED_OUT
    assert str(handle.id) in message


def test_async(runner: Runner) -> None:
    """An async handler that does not return in time is cancelled and fails, and its place is free."""
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
    """An attempt that timed out is followed by another, as any that failed."""

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
    """A handler that returns in time is not disturbed by its timeout."""

    @runner.job("sync", timeout=LONG)
    def sync(payload: None, ctx: Context) -> bool:
        return ctx.should_stop

    @runner.job("async", timeout=LONG)
    async def coroutine(payload: None, ctx: Context) -> bool:
        return ctx.should_stop

    runner.start()
    for job in (sync, coroutine):
        assert runner.result(runner.enqueue(job.job(None)), timeout=LONG) is False
