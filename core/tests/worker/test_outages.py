"""A store that fails now and then: the worker continues, and loses no outcome."""

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

from ..helpers import LONG, SECOND, SHORT_LEASE, MakeRunner, eventually


class Flaky(MemoryBackend):
    """A store whose first calls of one method fail."""

    def __init__(self, failing: str, times: int, error: Exception) -> None:
        super().__init__()
        self.remaining = {failing: times}
        self._error = error

    def claim(self, *args: Any, **kwargs: Any) -> Sequence[Record]:
        """Fail, or claim."""
        self._may_fail("claim")
        return super().claim(*args, **kwargs)

    def wait(self, *args: Any, **kwargs: Any) -> bool:
        """Fail, or wait."""
        self._may_fail("wait")
        return super().wait(*args, **kwargs)

    def extend(self, *args: Any, **kwargs: Any) -> Sequence[Hold]:
        """Fail, or extend."""
        self._may_fail("extend")
        return super().extend(*args, **kwargs)

    def settle(self, *args: Any, **kwargs: Any) -> Sequence[bool]:
        """Fail, or settle."""
        self._may_fail("settle")
        return super().settle(*args, **kwargs)

    def rescue(self, *args: Any, **kwargs: Any) -> Sequence[Record]:
        """Fail, or rescue."""
        self._may_fail("rescue")
        return super().rescue(*args, **kwargs)

    def _may_fail(self, call: str) -> None:
        if self.remaining.get(call, 0):
            self.remaining[call] -= 1
            raise self._error


def echo(runner: Runner) -> Definition[int, int]:
    """Register a job that returns its payload."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    return echo


@pytest.mark.parametrize("error", [Unavailable("down"), RuntimeError("bug")], ids=["down", "bug"])
@pytest.mark.parametrize("failing", ["claim", "wait", "rescue"])
def test_tries_again(make_runner: MakeRunner, failing: str, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """After a failed call, each thread of the worker tries again, and the error is logged."""
    backend = Flaky(failing, 1, error)
    runner = make_runner(backend)
    job = echo(runner)
    runner.start()
    eventually(lambda: not backend.remaining[failing])
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7
    assert repr(error) in caplog.text


@pytest.mark.parametrize("error", [Unavailable("down"), OutcomeUnknown("cut off")])
def test_settling_is_repeated(make_runner: MakeRunner, error: Exception) -> None:
    """An outcome that could not be recorded is recorded once the store is available again; the job is worked once."""
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
    """While an outcome is unsettled, the job's lease is extended, so that no other worker claims it."""
    backend = Flaky("settle", 1_000_000, Unavailable("down"))
    runner = make_runner(backend, lease=SHORT_LEASE)
    job = echo(runner)
    handle = runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    first = runner.get(handle).lease_until
    assert first is not None
    eventually(lambda: (runner.get(handle).lease_until or first) > first)
    backend.remaining["settle"] = 0
    assert runner.result(handle, timeout=LONG) == 7
    assert runner.get(handle).attempt == 1


def test_lease_is_kept_after_a_failure(make_runner: MakeRunner) -> None:
    """After a failed extension, a lease is extended at the next try."""
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
    """`stop` retries settling during the grace, then gives up; after the lease expires, a worker rescues the job."""
    runner = make_runner(Flaky("settle", 1_000_000, Unavailable("down")))
    job = echo(runner)
    handle = runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    runner.stop(grace=SECOND / 10)
    assert runner.get(handle).state is State.RUNNING


class Unrescuable(MemoryBackend):
    """A store with a record that makes every rescue fail."""

    def __init__(self) -> None:
        super().__init__()
        self.purged = Event()

    def rescue(self, **kwargs: Any) -> Sequence[Record]:
        """Fail."""
        raise ValueError("damaged")

    def purge(self, *args: Any, **kwargs: Any) -> int:
        """Record the call."""
        self.purged.set()
        return super().purge(*args, **kwargs)


def test_purge_without_rescue(make_runner: MakeRunner) -> None:
    """Failing rescues do not keep old records from being purged."""
    backend = Unrescuable()
    runner = make_runner(backend)
    echo(runner)
    runner.start()
    assert backend.purged.wait(LONG.total_seconds())


class Rejecting(MemoryBackend):
    """A store that rejects one result, and any batch that contains it."""

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Reject it."""
        if any(getattr(outcome, "result", None) == b"13" for outcome in outcomes):
            raise ValueError("thirteen")
        return super().settle(outcomes, **kwargs)


def test_rejected_outcome(make_runner: MakeRunner) -> None:
    """If the store rejects an outcome for good, its job is discarded with that error; the others are settled."""
    runner = make_runner(Rejecting())
    job = echo(runner)
    handles = runner.enqueue_batch([job.job(n) for n in (12, 13, 14)])
    runner.start()
    eventually(lambda: all(runner.get(handle).finished_at for handle in handles))
    states = [runner.get(handle).state for handle in handles]
    assert states == [State.COMPLETED, State.DISCARDED, State.COMPLETED]
    error = runner.get(handles[1]).last_error
    assert isinstance(error, Failure)
    assert error.message == "the handler ran and returned, but the store rejected its result: thirteen"


class Spurious(MemoryBackend):
    """A store whose `wait` always returns True; it records the times of claims."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed_at: list[float] = []

    def claim(self, *args: Any, **kwargs: Any) -> Sequence[Record]:
        """Record the time."""
        self.claimed_at.append(monotonic())
        return super().claim(*args, **kwargs)

    def wait(self, *args: Any, **kwargs: Any) -> bool:
        """Return True."""
        return True


def test_spurious_wake_ups(make_runner: MakeRunner) -> None:
    """After spurious wake-ups, the worker pauses between claims, twice as long each time up to `poll`."""
    backend = Spurious()
    runner = make_runner(backend, poll=SECOND / 20)
    echo(runner)
    runner.start()
    eventually(lambda: len(backend.claimed_at) >= 10)
    times = backend.claimed_at[1:10]  # the worker trusts the first wake-up
    assert times[-1] - times[0] >= 0.001 + 0.002 + 0.004 + 0.008 + 0.016 + 0.032 + 2 * 0.05
    runner.enqueue_raw("echo", b"7")


class SlowSpurious(Spurious):
    """A store whose `wait` returns True after a round trip of 3 ms."""

    def wait(self, *args: Any, **kwargs: Any) -> bool:
        """Return True."""
        Event().wait(0.003)
        return True


def test_spurious_wake_ups_after_a_round_trip(make_runner: MakeRunner) -> None:
    """Spurious wake-ups that take a round trip do not make the worker spin either."""
    backend = SlowSpurious()
    runner = make_runner(backend, poll=SECOND)
    echo(runner)
    runner.start()
    eventually(lambda: len(backend.claimed_at) >= 10)
    assert backend.claimed_at[9] - backend.claimed_at[1] >= 0.2  # the worker trusts the first wake-up


def test_store_is_closed_under_it(make_runner: MakeRunner) -> None:
    """A runner can be stopped after its store was closed elsewhere."""
    backend = MemoryBackend()
    runner = make_runner(backend)
    echo(runner)
    runner.start()
    backend.close()
    with pytest.raises(Closed):
        runner.enqueue_raw("echo", b"7")
    runner.stop()


class Unextendable(MemoryBackend):
    """A store that cannot extend until it is repaired, and signals the first try."""

    def __init__(self) -> None:
        super().__init__()
        self.tried, self.repaired = Event(), False

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Fail."""
        self.tried.set()
        if not self.repaired:
            raise Unavailable("down")
        return super().extend(claims, **kwargs)


def test_handler_is_not_disturbed(make_runner: MakeRunner) -> None:
    """While leases cannot be extended, a handler works on, because its claim may still be valid."""
    backend = Unextendable()
    runner = make_runner(backend, lease=SHORT_LEASE)

    @runner.job("wait")
    def wait(payload: None, ctx: Context) -> bool:
        assert backend.tried.wait(LONG.total_seconds())
        return ctx.should_stop

    runner.start()
    assert runner.result(runner.enqueue(wait.job(None)), timeout=LONG) is False
