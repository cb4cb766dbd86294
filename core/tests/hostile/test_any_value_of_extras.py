"""Codecs, hooks, schedules, services and tests accept any value, or reject it with a TallystickError."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tallystick import (
    Context,
    NewRecord,
    Runner,
    TallystickError,
    declare,
    handles,
    hookimpl,
    job,
    open_backend,
    raw,
)
from tallystick.testing import Clock, JobTester, inline, manual, run_job

from ..helpers import NOW, SECOND
from .test_any_value import by_position, each, handler, unexpected_errors

Calls = Iterator[tuple[str, Callable[[Any], object]]]


def calls_of_a_runner(runner: Runner) -> Calls:
    """Yield names and calls of the methods that schedule, wait, register and observe."""
    one = runner.job("echo")(handler).job(1)
    schedule = "rule job name zone start end missed window every"
    yield from each(runner.put_schedule, schedule, rule="@daily", job=one)
    yield from each(lambda **given: Runner("memory://").schedule(**given), schedule, rule="@daily", job=one)
    yield from by_position(
        runner.pause_schedule, runner.resume_schedule, runner.remove_schedule, runner.run_schedule, open_backend
    )
    yield from each(runner.throughput, "window step")
    yield from each(runner.wait_for, "job of", job=uuid4(), timeout=SECOND * 0)
    yield from each(runner.wait_for_all, "jobs timeout", jobs=[])
    yield from by_position(runner.include, runner.register, runner.handles, handles, runner.pause, runner.resume)
    yield from by_position(runner.use_svcs, runner.add_hooks, runner.carry, runner.provide)
    yield from each(runner.carry, "key", variable=ContextVar[str]("locale"))
    yield "provide factory", runner.provide(Path)
    yield "using", lambda value: runner.using(value).__enter__()
    events = ("enqueued", "started", "retried", "completed", "discarded", "cancelled")
    for event in events:
        yield f"on_{event} kind", partial(_observe, getattr(runner, f"on_{event}"))
    yield from each(runner.batch, "kind max wait", kind="k")
    yield from each(declare, "kind payload result queue", kind="k", payload=int)


def _observe(decorator: Callable[..., Any], kind: object) -> object:
    return decorator(kind=kind)(print)


def calls_of_tests(runner: Runner, jobs: JobTester) -> Calls:
    """Yield names and calls of `tallystick.testing`."""
    yield from by_position(run_job, Clock, jobs.enqueued, jobs.assert_enqueues, jobs.refute_enqueues)
    yield from each(jobs.drain, "queue limit")
    yield from each(lambda **given: manual(runner, **given).__enter__(), "url start")
    yield from each(lambda **given: inline(runner, **given).__enter__(), "url start")


def test_a_runner(runner: Runner) -> None:
    """A method that registers, schedules, waits or observes accepts any value, or raises a TallystickError."""
    assert unexpected_errors(calls_of_a_runner(runner), longest=False) == []


def test_the_helpers_of_tests(runner: Runner) -> None:
    """A helper of tests accepts any value, or raises a TallystickError."""
    with manual(runner) as jobs:
        assert unexpected_errors(calls_of_tests(Runner("memory://"), jobs), longest=False) == []


@pytest.mark.parametrize("method", ["encode", "decode"])
def test_a_codec_may_return_anything(method: str) -> None:
    """A codec that returns a value that is not bytes, or raises, rejects the payload with a TallystickError."""

    def attempt(value: Any) -> None:
        class Returning:
            def encode(self, data: bytes, kind: str) -> Any:
                return value if method == "encode" else data

            def decode(self, data: bytes, kind: str) -> Any:
                return value if method == "decode" else data

        with Runner("memory://", codec=Returning()) as runner:
            echo = runner.job("echo")(handler)
            with manual(runner) as jobs:
                runner.enqueue(echo.job(1))
                jobs.drain(raises=False)
                jobs.enqueued(echo)

    assert unexpected_errors(iter([(method, attempt)])) == []


@pytest.mark.parametrize("hook", ["tallystick_meta", "tallystick_enqueued", "tallystick_work", "tallystick_settled"])
def test_a_hook_may_return_anything(hook: str) -> None:
    """A hook that returns any value does not fail the enqueue or the job."""

    def attempt(value: Any) -> None:
        class Hooks:
            """The hooks that may return something else than they should."""

        def returning(self: object) -> Any:
            return value

        setattr(Hooks, hook, hookimpl(returning))
        runner = Runner("memory://")
        runner.add_hooks(Hooks())
        echo = runner.job("echo")(handler)
        with manual(runner) as jobs:
            runner.enqueue(echo.job(1))
            assert jobs.drain().completed == 1

    assert unexpected_errors(iter([(hook, attempt)])) == []


def calls_of_definitions() -> Calls:
    """Yield names and calls that define jobs apart from a runner."""
    send = declare("emails:send", int)
    yield from each(job, "kind queue unique_until on_conflict meta keep_completed", kind="k")
    yield from each(raw, "kind", kind="k")
    yield "handles function", handles(send)
    yield "job function", job("k")
    yield from by_position(send.upgrade_from, send.job, send.decode)


def test_definitions() -> None:
    """A definition apart from a runner accepts any value, or raises a TallystickError."""
    assert unexpected_errors(calls_of_definitions()) == []


def test_a_context_completes_only_in_a_worker() -> None:
    """A context from elsewhere rejects `complete`."""
    record = NewRecord(kind="k").stored(NOW)
    with pytest.raises(TallystickError, match="no worker made this context"):
        Context(record).complete(1, transaction=None)


def test_a_context_takes_progress_anywhere() -> None:
    """A context from elsewhere checks a report, and drops it."""
    context = Context(NewRecord(kind="k").stored(NOW))
    context.progress(0.5, "half")
    with pytest.raises(TallystickError, match="fraction is 5"):
        context.progress(5)
