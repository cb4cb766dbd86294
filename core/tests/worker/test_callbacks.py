"""Callbacks of an application."""

from typing import Any

import pytest
from tallystick import (
    Complete,
    Context,
    Definition,
    Discard,
    DiscardJob,
    Fixed,
    InvalidArgument,
    Outcome,
    Record,
    Runner,
    State,
)

from ..helpers import AT_ONCE, LONG, eventually

Calls = list[tuple[Record, Outcome]]


@pytest.fixture
def divide(runner: Runner) -> Definition[int, int]:
    """Register a job that fails at its first attempt, and is discarded if the payload is 0."""

    @runner.job("divide", retry=Fixed(AT_ONCE))
    def divide(payload: int, ctx: Context) -> int:
        if ctx.attempt == 1:
            raise ConnectionError
        if payload == 0:
            raise DiscardJob("cannot divide by it")
        return 12 // payload

    return divide


def test_completed(runner: Runner, divide: Definition[int, int]) -> None:
    """`on_completed` is called for each completed job, with its record as claimed and its outcome, and for no other."""
    calls: Calls = []

    @runner.on_completed
    def record_call(record: Record, outcome: Outcome) -> None:
        calls.append((record, outcome))

    good, bad = runner.enqueue(divide.job(3)), runner.enqueue(divide.job(0))
    runner.start()
    eventually(lambda: runner.get(bad).state is State.DISCARDED and calls)
    [(record, outcome)] = calls
    assert (record.id, record.attempt, record.state) == (good.id, 2, State.RUNNING)
    assert outcome == Complete(record.claim, b"4")


def test_discarded(runner: Runner, divide: Definition[int, int]) -> None:
    """`on_discarded` is called once for each discarded job, and not for retries."""
    calls: Calls = []
    runner.on_discarded(lambda record, outcome: calls.append((record, outcome)))
    good, bad = runner.enqueue(divide.job(3)), runner.enqueue(divide.job(0))
    runner.start()
    runner.result(good, timeout=LONG)
    eventually(lambda: calls)
    [(record, outcome)] = calls
    assert record.id == bad.id
    assert isinstance(outcome, Discard)
    assert outcome.error.message == "cannot divide by it"


def test_callback_that_raises(runner: Runner, divide: Definition[int, int], caplog: pytest.LogCaptureFixture) -> None:
    """A callback that raises affects neither the job nor other callbacks, and its exception is logged."""
    calls: Calls = []

    @runner.on_completed
    def broken(record: Record, outcome: Outcome) -> None:
        raise RuntimeError("no reason")

    runner.on_completed(lambda record, outcome: calls.append((record, outcome)))
    handle = runner.enqueue(divide.job(3))
    runner.start()
    assert runner.result(handle, timeout=LONG) == 4
    eventually(lambda: calls)
    assert "no reason" in caplog.text


def test_callback_enqueues(runner: Runner, divide: Definition[int, int]) -> None:
    """A callback can enqueue a job."""

    @runner.on_completed
    def more(record: Record, outcome: Outcome) -> None:
        runner.enqueue(divide.job(0), unique_key="more", unique_until="purged")

    runner.enqueue(divide.job(3))
    runner.start()
    eventually(lambda: runner.snapshot().discarded == 1)


def test_exception(runner: Runner, divide: Definition[int, int]) -> None:
    """A callback with a parameter `exception` receives the attempt's exception, or None for a completion."""
    seen: list[BaseException | None] = []

    @runner.on_completed
    @runner.on_discarded
    def record_call(record: Record, outcome: Outcome, exception: BaseException | None) -> None:
        seen.append(exception)

    runner.enqueue(divide.job(0))
    runner.start()
    eventually(lambda: seen)
    runner.result(runner.enqueue(divide.job(3)), timeout=LONG)
    eventually(lambda: seen[1:])
    abandoned, nothing = seen
    assert isinstance(abandoned, DiscardJob)
    assert abandoned.__traceback__ is not None
    assert nothing is None


async def asynchronous(record: Record, outcome: Outcome) -> None:
    """An async function, which cannot be a callback."""


@pytest.mark.parametrize(
    "callback",
    [lambda: None, lambda record: None, lambda record, outcome, more: None, asynchronous, 7],
    ids=["none", "one", "three", "async", "number"],
)
def test_not_a_callback(runner: Runner, callback: Any) -> None:
    """A callable that does not take a record and an outcome is rejected at its registration."""
    for register in runner.on_completed, runner.on_discarded:
        with pytest.raises(InvalidArgument, match="cannot be a callback"):
            register(callback)


def test_builtin_callback(runner: Runner, divide: Definition[int, int]) -> None:
    """A callback without a readable signature is called with the record and the outcome."""
    seen: dict[Record, Outcome] = {}
    runner.on_completed(seen.setdefault)
    runner.enqueue(divide.job(3))
    runner.start()
    eventually(lambda: seen)
