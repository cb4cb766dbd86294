"""A store that fails now and then: the worker goes on, and no outcome is lost."""

from collections.abc import Sequence
from threading import Event
from time import monotonic
from typing import Any

import pytest
from tallystick import (
    Claim,
    Closed,
    Context,
    Definition,
    Failure,
    Hold,
    Outcome,
    OutcomeUnknown,
    Record,
    Runner,
    State,
    Unavailable,
)
from tallystick_memory import MemoryBackend

from .helpers import LONG, SECOND, SHORT_LEASE, MakeRunner, eventually


class Flaky(MemoryBackend):
    """A store that is not available for the first calls of a kind."""

    def __init__(self, failing: str, times: int, error: Exception) -> None:
        super().__init__()
        self.left = {failing: times}
        self._error = error

    def claim(self, *args: Any, **given: Any) -> Sequence[Record]:
        """Fail, or claim."""
        self._may_fail("claim")
        return super().claim(*args, **given)

    def wait(self, *args: Any, **given: Any) -> bool:
        """Fail, or wait."""
        self._may_fail("wait")
        return super().wait(*args, **given)

    def extend(self, *args: Any, **given: Any) -> Sequence[Hold]:
        """Fail, or extend."""
        self._may_fail("extend")
        return super().extend(*args, **given)

    def settle(self, *args: Any, **given: Any) -> Sequence[bool]:
        """Fail, or settle."""
        self._may_fail("settle")
        return super().settle(*args, **given)

    def rescue(self, *args: Any, **given: Any) -> Sequence[Record]:
        """Fail, or rescue."""
        self._may_fail("rescue")
        return super().rescue(*args, **given)

    def _may_fail(self, call: str) -> None:
        if self.left.get(call, 0):
            self.left[call] -= 1
            raise self._error


def echo(runner: Runner) -> Definition[int, int]:
    """Register a job that returns its payload."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    return echo


@pytest.mark.parametrize("error", [Unavailable("down"), RuntimeError("bug")], ids=["down", "bug"])
@pytest.mark.parametrize("failing", ["claim", "wait", "rescue"])
def test_goes_on(make_runner: MakeRunner, failing: str, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """A thread of the worker whose call failed tries again, and the log tells."""
    backend = Flaky(failing, 1, error)
    runner = make_runner(backend)
    job = echo(runner)
    runner.start()
    eventually(lambda: not backend.left[failing])
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7
    assert repr(error) in caplog.text


@pytest.mark.parametrize("error", [Unavailable("down"), OutcomeUnknown("cut off")])
def test_settling_is_repeated(make_runner: MakeRunner, error: Exception) -> None:
    """An outcome that could not be recorded is recorded once the store is there again; the job is worked once."""
    runner = make_runner(Flaky("settle", 2, error))
    worked: list[int] = []

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None:
        worked.append(payload)

    handle = runner.enqueue(note.job(7))
    runner.start()
    runner.result(handle.id, timeout=LONG)
    assert worked == [7]
    eventually(lambda: runner.snapshot().completed == 1)


def test_lease_is_kept_while_unsettled(make_runner: MakeRunner) -> None:
    """While its outcome waits to be recorded, a job's lease is extended, so that nobody else works it."""
    backend = Flaky("settle", 1_000_000, Unavailable("down"))
    runner = make_runner(backend, lease=SHORT_LEASE)
    job = echo(runner)
    handle = runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    first = runner.get(handle).lease_until
    assert first is not None
    eventually(lambda: (runner.get(handle).lease_until or first) > first)
    backend.left["settle"] = 0
    assert runner.result(handle, timeout=LONG) == 7
    assert runner.get(handle).attempt == 1


def test_lease_is_kept_after_a_failure(make_runner: MakeRunner) -> None:
    """A lease whose extension failed is extended at the next try."""
    runner = make_runner(Flaky("extend", 1, Unavailable("down")), lease=SHORT_LEASE)

    @runner.job("wait")
    def wait(payload: None, ctx: Context) -> int:
        first = ctx.record.lease_until
        assert first is not None
        eventually(lambda: (runner.get(ctx.id).lease_until or first) > first)
        return ctx.attempt

    runner.start()
    assert runner.result(runner.enqueue(wait.job(None)), timeout=LONG) == 1


def test_stop_while_unavailable(make_runner: MakeRunner) -> None:
    """A stop settles while the grace lasts, then gives up: the lease will run out, and the job be rescued."""
    runner = make_runner(Flaky("settle", 1_000_000, Unavailable("down")))
    job = echo(runner)
    handle = runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    runner.stop(grace=SECOND / 10)
    assert runner.get(handle).state is State.RUNNING


class Unrescuable(MemoryBackend):
    """A store with a record that no rescue can read."""

    def __init__(self) -> None:
        super().__init__()
        self.purged = Event()

    def rescue(self, **given: Any) -> Sequence[Record]:
        """Fail."""
        raise ValueError("damaged")

    def purge(self, *args: Any, **given: Any) -> int:
        """Note it."""
        self.purged.set()
        return super().purge(*args, **given)


def test_purge_without_rescue(make_runner: MakeRunner) -> None:
    """Where rescues fail, old records are purged all the same."""
    backend = Unrescuable()
    runner = make_runner(backend)
    echo(runner)
    runner.start()
    assert backend.purged.wait(LONG.total_seconds())


class Refusing(MemoryBackend):
    """A store that refuses to record one result, and any batch that has it."""

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Refuse it."""
        if any(getattr(outcome, "result", None) == b"13" for outcome in outcomes):
            raise ValueError("thirteen")
        return super().settle(outcomes, **given)


def test_refused_outcome(make_runner: MakeRunner) -> None:
    """An outcome that the store refuses for good discards its job with that as its error, it alone."""
    runner = make_runner(Refusing())
    job = echo(runner)
    handles = runner.enqueue_batch([job.job(n) for n in (12, 13, 14)])
    runner.start()
    eventually(lambda: all(runner.get(handle).finished_at for handle in handles))
    states = [runner.get(handle).state for handle in handles]
    assert states == [State.COMPLETED, State.DISCARDED, State.COMPLETED]
    error = runner.get(handles[1]).last_error
    assert isinstance(error, Failure)
    assert error.message == "the handler ran and returned, but the store rejected its result: thirteen"


class Hasty(MemoryBackend):
    """A store whose `wait` always says that there is something, and which notes when it is asked for jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed_at: list[float] = []

    def claim(self, *args: Any, **given: Any) -> Sequence[Record]:
        """Note it."""
        self.claimed_at.append(monotonic())
        return super().claim(*args, **given)

    def wait(self, *args: Any, **given: Any) -> bool:
        """Say so."""
        return True


def test_wrong_hints(make_runner: MakeRunner) -> None:
    """Where hints are wrong, the worker does not spin: the pauses between its claims double up to the poll."""
    backend = Hasty()
    runner = make_runner(backend, poll=SECOND / 20)
    echo(runner)
    runner.start()
    eventually(lambda: len(backend.claimed_at) >= 10)
    times = backend.claimed_at[1:10]  # the first hint is followed at once
    assert times[-1] - times[0] >= 0.001 + 0.002 + 0.004 + 0.008 + 0.016 + 0.032 + 2 * 0.05
    runner.enqueue_raw("echo", b"7")


class SlowlyHasty(Hasty):
    """A store whose `wait` takes a round trip of 3 ms to say so."""

    def wait(self, *args: Any, **given: Any) -> bool:
        """Say so."""
        Event().wait(0.003)
        return True


def test_wrong_hints_after_a_round_trip(make_runner: MakeRunner) -> None:
    """Where hints are wrong and take a round trip each, the worker does not spin either."""
    backend = SlowlyHasty()
    runner = make_runner(backend, poll=SECOND)
    echo(runner)
    runner.start()
    eventually(lambda: len(backend.claimed_at) >= 10)
    assert backend.claimed_at[9] - backend.claimed_at[1] >= 0.2  # the first hint is followed at once


def test_store_is_closed_under_it(make_runner: MakeRunner) -> None:
    """A runner whose store was closed by somebody else can still be stopped."""
    backend = MemoryBackend()
    runner = make_runner(backend)
    echo(runner)
    runner.start()
    backend.close()
    with pytest.raises(Closed):
        runner.enqueue_raw("echo", b"7")
    runner.stop()


class Fatal(MemoryBackend):
    """A store that is unavailable until it is repaired, and says when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.repaired = Event(), False

    def extend(self, claims: Sequence[Claim], **given: Any) -> Sequence[Hold]:
        """Fail."""
        self.asked.set()
        if not self.repaired:
            raise Unavailable("down")
        return super().extend(claims, **given)


def test_handler_is_not_disturbed(make_runner: MakeRunner) -> None:
    """While leases cannot be extended a handler works on, for nobody has said that its claim is lost."""
    backend = Fatal()
    runner = make_runner(backend, lease=SHORT_LEASE)

    @runner.job("wait")
    def wait(payload: None, ctx: Context) -> bool:
        assert backend.asked.wait(LONG.total_seconds())
        return ctx.should_stop

    runner.start()
    assert runner.result(runner.enqueue(wait.job(None)), timeout=LONG) is False
