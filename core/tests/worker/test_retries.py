"""Retries, snoozes and discards of attempts."""

from datetime import timedelta
from typing import Any

import pytest
from tallystick import (
    ByException,
    Context,
    DiscardJob,
    Fixed,
    InvalidArgument,
    JobDiscarded,
    Never,
    Runner,
    Snooze,
    State,
)

from ..helpers import AT_ONCE, LONG, NOW, SECOND, eventually

HOUR = timedelta(hours=1)


def test_retried_until_it_succeeds(runner: Runner) -> None:
    """A failed attempt is retried until one succeeds; the last error is kept."""
    attempts: list[int] = []

    @runner.job("flaky", retry=Fixed(AT_ONCE))
    def flaky(payload: None, ctx: Context) -> int:
        attempts.append(ctx.attempt)
        if ctx.attempt < 3:
            raise ConnectionError(f"attempt {ctx.attempt}")
        return ctx.attempt

    handle = runner.enqueue(flaky.job(None))
    runner.start()
    assert runner.result(handle, timeout=LONG) == 3
    assert attempts == [1, 2, 3]
    error = runner.get(handle).last_error
    assert error is not None
    assert (error.type, error.message) == ("ConnectionError", "attempt 2")
    eventually(lambda: runner.snapshot().completed == 1)
    assert runner.snapshot().retried == 2


def test_attempts_are_exhausted(runner: Runner) -> None:
    """A job that fails at its last attempt is discarded, and not worked again."""

    @runner.job("fail", max_attempts=3, retry=Fixed(AT_ONCE))
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError(f"attempt {ctx.attempt}")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    with pytest.raises(JobDiscarded, match="ValueError: attempt 3"):
        runner.result(handle.id, timeout=LONG)
    record = runner.get(handle)
    assert (record.state, record.attempt, record.max_attempts) == (State.DISCARDED, 3, 3)


def test_waits_as_long_as_the_policy_returns(runner: Runner) -> None:
    """The next attempt is due after the policy's delay, on the store's clock."""

    @runner.job("fail", retry=Fixed(HOUR))
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.RETRYING)
    record = runner.get(handle)
    assert record.run_at == record.updated_at + HOUR


def test_policy_arguments(runner: Runner) -> None:
    """A policy can be any callable; it receives the attempt, the exception, and a draw from 0 to 1."""
    calls: list[Any] = []

    def policy(attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        calls.append((attempt, str(exc), 0 <= draw <= 1))
        return AT_ONCE if attempt < 2 else None

    @runner.job("fail", retry=policy)
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    runner.start()
    with pytest.raises(JobDiscarded):
        runner.result(runner.enqueue(fail.job(None)).id, timeout=LONG)
    assert calls == [(1, "no", True), (2, "no", True)]


def test_policy_that_raises(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """If a policy raises, the default delay applies, and the exception is logged."""

    def policy(attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        raise ZeroDivisionError

    @runner.job("fail", retry=policy)
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.RETRYING)
    assert timedelta(seconds=26) < runner.get(handle).run_at - runner.get(handle).updated_at <= timedelta(seconds=30)
    assert "the retry policy of 'fail' failed" in caplog.text


def test_never_retried(runner: Runner) -> None:
    """With `Never` for its type, an exception discards the job at once; others are retried."""

    @runner.job("fail", retry=ByException({ValueError: Never()}, Fixed(AT_ONCE)))
    def fail(payload: None, ctx: Context) -> None:
        raise ConnectionError if ctx.attempt == 1 else ValueError("wrong for good")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    with pytest.raises(JobDiscarded, match="wrong for good"):
        runner.result(handle.id, timeout=LONG)
    assert (runner.get(handle).attempt, runner.get(handle).max_attempts) == (2, 20)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_snooze(runner: Runner, asynchronous: bool) -> None:
    """A snooze uses up no attempt, and leaves no error."""

    def sync(payload: None, ctx: Context) -> int:
        if ctx.attempt < 4:
            raise Snooze(AT_ONCE)
        return ctx.attempt

    async def coroutine(payload: None, ctx: Context) -> int:
        return sync(payload, ctx)

    nap = runner.job("nap", max_attempts=1)(coroutine if asynchronous else sync)
    handle = runner.enqueue(nap.job(None))
    runner.start()
    assert runner.result(handle.id, timeout=LONG) == 4
    record = runner.get(handle)
    assert (record.attempt, record.max_attempts, record.last_error) == (4, 4, None)


def test_snooze_until(runner: Runner) -> None:
    """A job can be snoozed until a moment or by a delay."""

    @runner.job("nap")
    def nap(payload: bool, ctx: Context) -> None:
        raise Snooze(HOUR if payload else NOW + timedelta(days=100 * 365))

    delayed, dated = runner.enqueue(nap.job(True)), runner.enqueue(nap.job(False))
    runner.start()
    eventually(lambda: runner.snapshot().released == 2)
    assert runner.get(delayed).state is runner.get(dated).state is State.PENDING
    assert runner.get(delayed).run_at == runner.get(delayed).updated_at + HOUR
    assert runner.get(dated).run_at == NOW + timedelta(days=100 * 365)


def test_bad_snooze() -> None:
    """A snooze rejects a negative delay, a naive datetime and a number."""
    for wrong in (-SECOND, NOW.replace(tzinfo=None), 5):
        with pytest.raises(InvalidArgument, match="run_at"):
            Snooze(wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_discard_job(runner: Runner, asynchronous: bool) -> None:
    """DiscardJob discards the job, even if attempts remain."""

    def sync(payload: None, ctx: Context) -> None:
        raise DiscardJob("nobody wants it")

    async def coroutine(payload: None, ctx: Context) -> None:
        sync(payload, ctx)

    quit = runner.job("quit")(coroutine if asynchronous else sync)
    handle = runner.enqueue(quit.job(None))
    runner.start()
    with pytest.raises(JobDiscarded, match="DiscardJob: nobody wants it"):
        runner.result(handle.id, timeout=LONG)
    assert (runner.get(handle).attempt, runner.get(handle).max_attempts) == (1, 20)


def test_requeued(runner: Runner) -> None:
    """Requeuing a discarded job gives it another attempt."""

    @runner.job("fail", max_attempts=1)
    def fail(payload: None, ctx: Context) -> int:
        if ctx.attempt == 1:
            raise ValueError("not yet")
        return ctx.attempt

    handle = runner.enqueue(fail.job(None))
    runner.start()
    with pytest.raises(JobDiscarded):
        runner.result(handle, timeout=LONG)
    assert runner.requeue(handle) == 1
    assert runner.result(handle, timeout=LONG) == 2
