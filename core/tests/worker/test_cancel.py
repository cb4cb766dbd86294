"""Cancellation of a running job."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from tallystick import Context, Fixed, JobCancelled, Record, Runner, State, Stop
from tallystick.worker.attempt import Attempt
from tallystick.worker.in_flight import InFlight
from tallystick.worker.watcher import Watcher
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, SHORT_LEASE, MakeRunner, eventually


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Return a runner that learns of a cancellation within 40 ms."""
    return make_runner(lease=SHORT_LEASE)


@pytest.fixture
def begun() -> Event:
    """Return an event that a handler sets when it begins."""
    return Event()


def test_sync(runner: Runner, begun: Event) -> None:
    """A sync handler sees `should_stop`; if it stops by `check`, the job is cancelled."""
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
    """If a sync handler returns despite the cancellation, its job is completed."""

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
    """A job with a requested cancellation is not retried: if its handler fails, the job is cancelled."""

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
    """An async handler is cancelled and can clean up, and its job is cancelled."""
    cleaned_up: list[Stop | None] = []

    @runner.job("block")
    async def block(payload: None, ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up.append(ctx.stop)

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    assert runner.cancel(handle) == 1
    with pytest.raises(JobCancelled):
        runner.result(handle.id, timeout=LONG)
    assert cleaned_up == [Stop.CANCELLED]


def test_async_that_returns(runner: Runner, begun: Event) -> None:
    """If an async handler returns despite its cancellation, its job is completed."""

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
    """A store that returns one job more than the limit, so that the worker claims ahead."""

    def claim(self, queues: Sequence[str], *, limit: int, **kwargs: Any) -> Sequence[Record]:
        """Claim one more."""
        return super().claim(queues, limit=limit + 1, **kwargs)


def test_claimed_ahead(make_runner: MakeRunner, begun: Event) -> None:
    """A job that was claimed ahead and cancelled before its handler began is never worked."""
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
    """Cancelling a pending job takes effect at once, and the job is never worked."""
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


@pytest.mark.parametrize("is_async", [False, True])
def test_long_lease(make_runner: MakeRunner, begun: Event, is_async: bool) -> None:
    """A running handler learns of its cancellation long before its lease of an hour is extended."""
    runner = make_runner(lease=timedelta(hours=1), maintenance=timedelta(hours=1))

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        eventually(lambda: ctx.should_stop)
        ctx.check()

    @runner.job("block_async")
    async def block_async(payload: None, ctx: Context) -> None:
        begun.set()
        await asyncio.Event().wait()

    handle = runner.enqueue((block_async if is_async else block).job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.cancel(handle)
    with pytest.raises(JobCancelled):
        runner.result(handle.id, timeout=LONG)


def test_long_lease_of_a_lost_job(make_runner: MakeRunner, begun: Event) -> None:
    """A running handler also learns soon that another worker has rescued its job."""
    runner = make_runner(lease=timedelta(hours=1), maintenance=timedelta(hours=1), queues=["default"])
    reasons: list[Stop | None] = []

    @runner.job("block", max_attempts=1)
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        eventually(lambda: ctx.should_stop)
        reasons.append(ctx.stop)

    runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.backend.rescue(limit=1, now=datetime.now(UTC) + timedelta(hours=2))
    eventually(lambda: reasons)
    assert reasons == [Stop.LOST]
    assert runner.snapshot().lost == 1


def test_short_handlers_are_not_read(make_runner: MakeRunner) -> None:
    """The worker reads no record of a job whose handler has just started or has ended."""
    runner = make_runner()

    @runner.job("note")
    def note(payload: None, ctx: Context) -> None: ...

    handles = runner.enqueue_batch([note.job(None)] * 3)
    runner.start()
    runner.wait_for_all(handles, timeout=LONG)
    attempts = InFlight(slots=3, batch=3, slow_batch=3)
    reads: list[Sequence[UUID]] = []
    worker = runner._worker_context()
    watched = replace(worker, backend=Reads(reads))
    old, new, ended = [Attempt(watched, runner.get(handle), note, 0.0, inf) for handle in handles]
    attempts.take([old, new, ended])
    old.started_at = ended.started_at = monotonic() - 60
    new.started_at = monotonic() + 60
    attempts.end(ended)
    Watcher(watched, attempts, lambda: None)._step()
    assert reads == [[old.id]]
    assert (old.extend_at < inf, new.extend_at, ended.extend_at) == (True, inf, inf)


class Reads(MemoryBackend):
    """A store without records that keeps the ids of each read."""

    def __init__(self, reads: list[Sequence[UUID]]) -> None:
        super().__init__()
        self._reads = reads

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        """Return nothing."""
        self._reads.append(ids)
        return {}
