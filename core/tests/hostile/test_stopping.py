"""Starting and stopping at unlucky moments, and from where nobody should."""

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
    """A stop of an idle worker takes moments, however long its poll."""
    runner = make_runner(poll=2 * LONG)
    echo(runner)
    runner.start()
    eventually(lambda: threads("tallystick-fetcher"))
    assert ends(runner.stop)


def ends(call: Callable[[], object]) -> bool:
    """Report whether a call returns within `LONG`."""
    thread = Thread(target=call, daemon=True)
    thread.start()
    thread.join(LONG.total_seconds())
    return not thread.is_alive()


class Down(MemoryBackend):
    """A store that records nothing."""

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Fail."""
        raise Unavailable("down")


def test_hurried_in_an_outage(make_runner: MakeRunner) -> None:
    """A stop that is hurried does not wait for the whole grace for a store that is not there."""
    runner = make_runner(Down())
    job = echo(runner)
    runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    stopped: list[int] = []
    assert ends(lambda: stopped.append(runner.stop(grace=2 * LONG, hurried=lambda: True)))
    assert stopped == [1]


class Silent(MemoryBackend):
    """A store that does not answer one call, until it is repaired."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call
        self.asked, self.repaired = Event(), Event()

    def claim(self, *args: Any, **given: Any) -> Sequence[Record]:
        """Claim, and answer later."""
        return self._later("claim", super().claim(*args, **given))

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Answer later."""
        return self._later("settle", super().settle(outcomes, **given))

    def extend(self, claims: Sequence[Claim], **given: Any) -> Sequence[Hold]:
        """Answer later."""
        return self._later("extend", super().extend(claims, **given))

    def rescue(self, **given: Any) -> Sequence[Record]:
        """Answer later."""
        return self._later("rescue", super().rescue(**given), always=True)

    def _later(self, call: str, answer: Sequence[Any], *, always: bool = False) -> Sequence[Any]:
        if call == self.call and (answer or always):
            self.asked.set()
            self.repaired.wait()
        return answer


@pytest.mark.parametrize("call", ["claim", "settle", "extend", "rescue"])
def test_store_does_not_answer(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A stop does not wait for an answer that never comes, and says whether an outcome was not recorded."""
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
    assert backend.asked.wait(LONG.total_seconds())
    stopped: list[int] = []
    stopping = Thread(target=lambda: stopped.append(runner.stop(grace=AT_ONCE)))
    stopping.start()
    stopping.join(3 * LONG.total_seconds())
    backend.repaired.set()
    release.set()
    assert stopped == [int(call == "settle")]


def test_claim_is_answered_during_a_stop(make_runner: MakeRunner) -> None:
    """Jobs whose claim is answered after the beginning of a stop are given back at no cost, and not worked."""
    backend = Silent("claim")
    runner = make_runner(backend)
    worked: list[int] = []

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None:
        worked.append(payload)

    handle = runner.enqueue(note.job(7))
    runner.start()
    assert backend.asked.wait(LONG.total_seconds())
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
    """A start while the store is down raises its error, also where nothing is set up first, and leaves no thread."""
    before = threads(*PARTS)
    runner = make_runner(Unreachable(), auto_setup=False)
    echo(runner)
    with pytest.raises(Unavailable, match="connection refused"):
        runner.start()
    assert not runner.running
    assert threads(*PARTS) <= before


def test_close_beside_a_stop(make_runner: MakeRunner) -> None:
    """A close while another thread stops the runner waits for it: the store is not closed under its last outcomes."""
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
    """An outcome is recorded also where its thread is held up, at a stop, between ending the job and handing it in."""
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
    """A snapshot that is taken while the worker starts costs no thread its end."""
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
    """A callback or an async handler that stops its runner stops it whole, or is refused and the runner goes on."""
    before = threads(*PARTS)
    runner = make_runner()
    tried = Event()

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        if by == "async handler":
            quit()
        return payload

    def quit(*told: object) -> None:
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
    """A start for which there are not enough threads leaves nothing behind, and can be tried again."""
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
