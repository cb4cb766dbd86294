"""Cancelling a job that runs."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from tallystick import Context, Fixed, JobCancelled, Record, Runner, State, Stop
from tallystick_memory import MemoryBackend

from .helpers import AT_ONCE, LONG, SHORT_LEASE, MakeRunner, eventually


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Make a runner that learns of a cancellation within 40 ms."""
    return make_runner(lease=SHORT_LEASE)


@pytest.fixture
def begun() -> Event:
    """Return what a handler sets when it begins."""
    return Event()


def test_sync(runner: Runner, begun: Event) -> None:
    """A sync handler sees that it should stop; where it does, by `check`, the job is cancelled."""
    reasons: list[Stop | None] = []

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        eventually(lambda: ctx.should_stop)
        reasons.append(ctx.stop)
        ctx.check()

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    assert runner.cancel(handle) == 1
    with pytest.raises(JobCancelled):
        runner.result(handle.id, timeout=LONG)
    assert reasons == [Stop.CANCELLED]
    assert runner.get(handle).attempt == 1
    eventually(lambda: runner.snapshot().cancelled == 1)


def test_sync_that_does_not_stop(runner: Runner, begun: Event) -> None:
    """A sync handler that returns all the same has completed its job."""

    @runner.job("block")
    def block(payload: None, ctx: Context) -> str:
        begun.set()
        eventually(lambda: ctx.should_stop)
        return "done"

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.cancel(handle)
    assert runner.result(handle, timeout=LONG) == "done"


def test_sync_that_fails(runner: Runner, begun: Event) -> None:
    """A job whose cancellation was requested does not run again: where its handler fails, it is cancelled."""

    @runner.job("block", retry=Fixed(AT_ONCE))
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        eventually(lambda: ctx.should_stop)
        raise ValueError("interrupted")

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.cancel(handle)
    with pytest.raises(JobCancelled):
        runner.result(handle.id, timeout=LONG)
    assert runner.get(handle).attempt == 1


def test_async(runner: Runner, begun: Event) -> None:
    """An async handler is cancelled, may tidy up, and its job is cancelled."""
    tidied: list[Stop | None] = []

    @runner.job("block")
    async def block(payload: None, ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append(ctx.stop)

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    assert runner.cancel(handle) == 1
    with pytest.raises(JobCancelled):
        runner.result(handle.id, timeout=LONG)
    assert tidied == [Stop.CANCELLED]


def test_async_that_returns(runner: Runner, begun: Event) -> None:
    """An async handler that finishes its work in spite of its cancellation has completed its job."""

    @runner.job("block")
    async def block(payload: None, ctx: Context) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        return "never"

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.cancel(handle)
    assert runner.result(handle, timeout=LONG) == "done"


class Generous(MemoryBackend):
    """A store that hands out one job more than there is room for, as claiming ahead does."""

    def claim(self, queues: Sequence[str], *, limit: int, **given: Any) -> Sequence[Record]:
        """Add to the limit."""
        return super().claim(queues, limit=limit + 1, **given)


def test_claimed_ahead(make_runner: MakeRunner, begun: Event) -> None:
    """A job that was claimed ahead and cancelled before its handler began ends as cancelled, and is never worked."""
    settings = {"lease": timedelta(hours=1), "maintenance": timedelta(milliseconds=20)}
    runner = make_runner(Generous(), concurrency=1, **settings)
    release = Event()
    worked: list[int] = []

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        worked.append(payload)
        begun.set()
        release.wait()

    handles = runner.enqueue_batch([block.job(1), block.job(2)])
    runner.start()
    assert begun.wait(LONG.total_seconds())
    eventually(lambda: runner.snapshot().waiting == 1)
    runner.cancel(handles[1])
    eventually(lambda: runner.get(handles[1]).state is State.CANCELLED)
    release.set()
    runner.result(handles[0], timeout=LONG)
    assert worked == [1]


def test_waiting(runner: Runner) -> None:
    """A job that waits is cancelled at once, and never worked."""
    worked: list[int] = []

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None:
        worked.append(payload)

    cancelled, other = runner.enqueue(note.job(1)), runner.enqueue(note.job(2))
    runner.cancel(cancelled)
    assert runner.get(cancelled).state is State.CANCELLED
    runner.start()
    runner.result(other.id, timeout=LONG)
    assert worked == [2]
