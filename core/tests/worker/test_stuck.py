"""A limit for handlers that run past their timeout and never return."""

import asyncio
import logging
import re
from collections.abc import Iterator
from threading import Event

import pytest
from tallystick import Context, Definition, Fixed, Runner, State

from ..helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, MakeRunner, eventually, threads

SOON = SECOND / 25
CONCURRENCY = 2


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Return a runner with two slots that checks its jobs every 20 ms."""
    return make_runner(concurrency=CONCURRENCY, lease=SHORT_LEASE)


@pytest.fixture
def release() -> Iterator[Event]:
    """Return an event that a stuck handler waits for; set it after the test."""
    event = Event()
    yield event
    event.set()


def hang(runner: Runner, release: Event, *, asynchronous: bool) -> Definition[None, None]:
    """Register a job that hangs, ignoring its cancellation; each attempt times out and is retried at once."""

    async def coroutine(payload: None, ctx: Context) -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.005)
            except asyncio.CancelledError:
                continue

    def sync(payload: None, ctx: Context) -> None:
        release.wait()

    register = runner.job("hang", timeout=SOON, retry=Fixed(AT_ONCE))
    return register(coroutine if asynchronous else sync)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_limit(runner: Runner, release: Event, asynchronous: bool, caplog: pytest.LogCaptureFixture) -> None:
    """With more stuck handlers than slots, the worker claims nothing; it logs an error, and the snapshot shows it."""
    before = threads("tallystick-handler")
    job = hang(runner, release, asynchronous=asynchronous)
    runner.enqueue(job.job(None))
    runner.start()
    [error] = eventually(lambda: [log for log in caplog.records if log.levelno == logging.ERROR])
    assert re.search(r"claims no more jobs: ([34]) handlers .* \(\1 of kind 'hang'\)", error.getMessage())
    assert runner.snapshot().blocked
    assert CONCURRENCY < runner.snapshot().stuck <= 2 * CONCURRENCY  # a claim may already have begun
    assert runner.get(runner.enqueue(job.job(None))).attempt == 0
    assert len(threads("tallystick-handler") - before) <= 2 * CONCURRENCY


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_recovery(runner: Runner, release: Event, asynchronous: bool) -> None:
    """After stuck handlers return, the worker claims again, and fills all its slots."""
    handle = runner.enqueue(hang(runner, release, asynchronous=asynchronous).job(None))
    both = [Event() for _ in range(CONCURRENCY)]

    @runner.job("meet")
    def meet(payload: int, ctx: Context) -> bool:
        both[payload].set()
        return all(event.wait(LONG.total_seconds()) for event in both)

    @runner.job("ameet")
    async def ameet(payload: int, ctx: Context) -> bool:
        both[payload].set()
        return all([await asyncio.to_thread(event.wait, LONG.total_seconds()) for event in both])

    runner.start()
    eventually(lambda: runner.snapshot().blocked)
    release.set()
    runner.result(handle, timeout=LONG)
    assert eventually(lambda: runner.snapshot().stuck == 0)
    assert not runner.snapshot().blocked
    for job in (meet, ameet):
        handles = runner.enqueue_batch([job.job(number) for number in range(CONCURRENCY)])
        assert [runner.result(handle, timeout=2 * LONG) for handle in handles] == [True, True]
        for event in both:
            event.clear()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_stuck_handlers_at_a_stop(
    runner: Runner, release: Event, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """`stop` logs the kinds of the handlers that have not returned."""
    runner.enqueue(hang(runner, release, asynchronous=asynchronous).job(None), max_attempts=1)
    runner.start()
    eventually(lambda: runner.snapshot().stuck)
    runner.stop()
    [warning] = [log for log in caplog.records if "abandoned" in log.getMessage()]
    assert "1 handlers have not returned and are abandoned (1 of kind 'hang')" in warning.getMessage()


def test_stopping_handlers_are_not_reported(runner: Runner, release: Event, caplog: pytest.LogCaptureFixture) -> None:
    """Handlers that stop on request are not logged as stuck."""
    register = runner.job("ask", timeout=SOON, max_attempts=1)

    @register
    def ask(payload: None, ctx: Context) -> None:
        eventually(lambda: ctx.should_stop)
        ctx.check()

    handles = runner.enqueue_batch([ask.job(None) for _ in range(2 * CONCURRENCY)])
    runner.start()
    eventually(lambda: all(runner.get(handle).state is State.DISCARDED for handle in handles))
    eventually(lambda: runner.snapshot().stuck == 0)
    assert not [log for log in caplog.records if "claims no more" in log.getMessage()]


def test_blocked_event_loop(runner: Runner, release: Event, caplog: pytest.LogCaptureFixture) -> None:
    """While an async handler blocks the event loop past its timeout, nothing is claimed; later all jobs are worked."""

    @runner.job("block", timeout=SOON, retry=Fixed(AT_ONCE))
    async def block(payload: None, ctx: Context) -> int:
        if ctx.attempt == 1:
            release.wait()
        return ctx.attempt

    handle = runner.enqueue(block.job(None))
    runner.start()
    [error] = eventually(lambda: [log for log in caplog.records if "claims no more" in log.getMessage()])
    assert "the event loop is blocked" in error.getMessage()
    assert runner.snapshot().blocked
    assert runner.get(runner.enqueue(block.job(None))).attempt == 0
    release.set()
    runner.result(handle, timeout=LONG)
    eventually(lambda: not runner.snapshot().blocked)
