"""Starting and stopping at unlucky moments, and from inside the worker."""

import threading
from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from tallystick import (
    Claim,
    Context,
    Hold,
    Outcome,
    Record,
    State,
    Unavailable,
    open_backend,
)
from tallystick.worker.attempt import Attempt
from tallystick.worker.in_flight import InFlight
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, MakeRunner, eventually, threads
from .anyhow import echo


def test_stop_does_not_wait_for_the_poll(make_runner: MakeRunner) -> None:
    """Stopping an idle worker does not wait for its poll."""
    runner = make_runner(poll=2 * LONG)
    echo(runner)
    runner.start()
    eventually(lambda: threads("tallystick-fetcher"))
    assert ends(runner.stop)


def ends(call: Callable[[], object]) -> bool:
    """Check that a call returns within `LONG`."""
    thread = Thread(target=call, daemon=True)
    thread.start()
    thread.join(LONG.total_seconds())
    return not thread.is_alive()


class Down(MemoryBackend):
    """A store whose `settle` is unavailable."""

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Fail."""
        raise Unavailable("down")


def test_hurried_in_an_outage(make_runner: MakeRunner) -> None:
    """A hurried `stop` does not wait the whole grace for an unavailable store."""
    runner = make_runner(Down())
    job = echo(runner)
    runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    stopped: list[int] = []
    assert ends(lambda: stopped.append(runner.stop(grace=2 * LONG, hurried=lambda: True)))
    assert stopped == [1]


class Silent(MemoryBackend):
    """A store that blocks one method until it is repaired."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call
        self.blocked, self.repaired = Event(), Event()

    def claim(self, *args: Any, **kwargs: Any) -> Sequence[Record]:
        """Claim, then block."""
        return self._later("claim", super().claim(*args, **kwargs))

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Settle, then block."""
        return self._later("settle", super().settle(outcomes, **kwargs))

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Extend, then block."""
        return self._later("extend", super().extend(claims, **kwargs))

    def rescue(self, **kwargs: Any) -> Sequence[Record]:
        """Rescue, then block."""
        return self._later("rescue", super().rescue(**kwargs), always=True)

    def _later(self, call: str, result: Sequence[Any], *, always: bool = False) -> Sequence[Any]:
        if call == self.call and (result or always):
            self.blocked.set()
            self.repaired.wait()
        return result


@pytest.mark.parametrize("call", ["claim", "settle", "extend", "rescue"])
def test_stop_with_a_blocked_store(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """`stop` does not wait for a call of the store that never returns, and counts the unrecorded outcome."""
    monkeypatch.setattr("tallystick.worker.worker.STOP_SECONDS", 0.2)
    backend = Silent(call)
    runner = make_runner(backend, lease=SHORT_LEASE)
    release = Event()

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        if call == "extend":
            release.wait()

    runner.enqueue(block.job(7))
    runner.start()
    assert backend.blocked.wait(LONG.total_seconds())
    stopped: list[int] = []
    stopping = Thread(target=lambda: stopped.append(runner.stop(grace=AT_ONCE)))
    stopping.start()
    stopping.join(3 * LONG.total_seconds())
    backend.repaired.set()
    release.set()
    assert stopped == [int(call == "settle")]


def test_claim_returns_during_a_stop(make_runner: MakeRunner) -> None:
    """If a claim returns after a stop has begun, its jobs are released without using up an attempt, and not worked."""
    backend = Silent("claim")
    runner = make_runner(backend)
    worked: list[int] = []

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None:
        worked.append(payload)

    handle = runner.enqueue(note.job(7))
    runner.start()
    assert backend.blocked.wait(LONG.total_seconds())
    stopping = Thread(target=runner.stop)
    stopping.start()
    eventually(lambda: not runner.running)
    backend.repaired.set()
    stopping.join()
    record = runner.get(handle)
    assert (record.state, record.attempt, record.max_attempts) == (State.PENDING, 1, 21)
    assert not worked


class Unreachable(MemoryBackend):
    """A store that cannot be reached."""

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        """Fail."""
        raise Unavailable("connection refused")


def test_start_while_the_store_is_down(make_runner: MakeRunner) -> None:
    """`start` raises if the store is down, even without auto setup, and leaves no thread behind."""
    before = threads(*PARTS)
    runner = make_runner(Unreachable(), auto_setup=False)
    echo(runner)
    with pytest.raises(Unavailable, match="connection refused"):
        runner.start()
    assert not runner.running
    assert threads(*PARTS) <= before


def test_close_during_a_stop(make_runner: MakeRunner) -> None:
    """`close` waits for a `stop` in another thread, so that its last outcomes are recorded."""
    url, begun, release = "memory://beside", Event(), Event()
    with open_backend(url) as store:
        runner = make_runner(url)

        @runner.job("block")
        def block(payload: None, ctx: Context) -> int:
            begun.set()
            release.wait()
            return 7

        handle = runner.enqueue(block.job(None))
        runner.start()
        assert begun.wait(LONG.total_seconds())
        stopping = Thread(target=lambda: runner.stop(grace=SECOND))
        stopping.start()
        eventually(lambda: not runner.running)
        closing = Thread(target=runner.close)
        closing.start()
        closing.join(0.2)
        release.set()
        closing.join()
        stopping.join()
        record = store.get([handle.id])[handle.id]
        store.teardown()
    assert record.state is State.COMPLETED


def test_outcome_at_the_last_moment(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outcome is recorded even if a stop begins before its thread has passed it to the settler."""
    runner = make_runner()
    job = echo(runner)
    end = InFlight.end

    def end_slowly(in_flight: InFlight, ctx: Attempt) -> bool:
        ended = end(in_flight, ctx)
        deadline = monotonic() + 0.5
        while ctx.kind == "echo" and monotonic() < deadline and threads("tallystick-settler"):
            Event().wait(0.005)
        return ended

    monkeypatch.setattr(InFlight, "end", end_slowly)
    handle = runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    runner.stop()
    assert eventually(lambda: runner.result(handle)) == 7


def test_no_thread_is_forgotten(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot during the worker's start does not keep a thread from ending."""
    before = threads("tallystick-handler")
    runner = make_runner()
    job = echo(runner)
    start = threading.Thread.start

    def start_watched(thread: Thread) -> None:
        if thread.name.startswith("tallystick-handler"):
            runner.snapshot()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_watched)
    runner.start()
    runner.result(runner.enqueue(job.job(7)), timeout=LONG)
    runner.close()
    eventually(lambda: threads("tallystick-handler") <= before)


PARTS = ("tallystick-handler", "tallystick-heartbeat", "tallystick-maintainer", "tallystick-loop", "tallystick-settler")


@pytest.mark.parametrize("by", ["callback", "async handler"])
def test_stopped_from_inside(make_runner: MakeRunner, by: str) -> None:
    """Stopping the runner from a callback or an async handler either stops it completely or raises."""
    before = threads(*PARTS)
    runner = make_runner()
    tried = Event()

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        if by == "async handler":
            quit()
        return payload

    def quit(*args: object) -> None:
        try:
            runner.stop(grace=AT_ONCE)
        finally:
            tried.set()

    if by == "callback":
        runner.on_completed(quit)
    runner.enqueue(echo.job(7))
    runner.start()
    assert tried.wait(LONG.total_seconds())
    if not runner.running:
        eventually(lambda: threads(*PARTS) <= before)


def test_start_that_fails(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that runs out of threads leaves none behind, and can be tried again."""
    before = threads(*PARTS)
    runner = make_runner()
    job = echo(runner)
    start = threading.Thread.start

    def start_few(thread: Thread) -> None:
        if thread.name == "tallystick-heartbeat":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start_few)
        with pytest.raises(RuntimeError, match="new thread"):
            runner.start()
    assert not runner.running
    eventually(lambda: threads(*PARTS) <= before)
    runner.start()
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7
