"""Calls in the style of Celery, RQ, Huey and Dramatiq: the error says what to write instead."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tallystick import (
    Call,
    Context,
    Enqueue,
    InvalidArgument,
    Job,
    Runner,
    Snooze,
    TallystickError,
    UnknownKind,
)

from ..helpers import SECOND
from .anyhow import echo


class Plain(Job[None]):
    """A job."""

    kind = "plain"

    def work(self, ctx: Context) -> None:
        """Do nothing."""


async def coroutine(payload: int, ctx: Context) -> int:
    """Return the payload."""
    return payload


@pytest.mark.parametrize("callback", [None, 7, "print", coroutine])
@pytest.mark.parametrize("name", ["on_completed", "on_discarded"])
def test_bad_callback(runner: Runner, name: str, callback: Any) -> None:
    """A callback that is not callable, or is async, is rejected."""
    with pytest.raises(InvalidArgument, match="cannot be a callback"):
        getattr(runner, name)(callback)


def test_bad_enqueues(runner: Runner) -> None:
    """Enqueuing in the style of another library is rejected with what to write, and nothing is stored."""
    job: Any = echo(runner)
    client: Any = runner
    enqueue = client.enqueue
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: enqueue(job, 7), r"generate\.job\(payload\)"),
        (lambda: enqueue(job), r"\.job\(payload\)"),
        (lambda: enqueue(job(7)), r"\.job\(payload\)"),
        (lambda: job.delay(7), r"runner\.enqueue\("),
        (lambda: job.apply_async(args=(7,)), r"runner\.enqueue\("),
        (lambda: enqueue(Plain), r"Plain\(\.\.\.\)"),
        (lambda: enqueue(Plain()), "write @runner.register"),
        (lambda: enqueue(coroutine), "@runner.job"),
        (lambda: enqueue("echo"), "enqueue_raw"),
        (lambda: enqueue(None), "not a job"),
        (lambda: enqueue([job.job(1)]), "not a job"),
        (lambda: enqueue(job.job(1), delay=3), "run_at"),
        (lambda: enqueue(job.job(1), retry=3), "@runner.job"),
        (lambda: enqueue(job.job(1), queu="a"), "queue"),
        (lambda: enqueue(job.job(1), run_at=3), r"timedelta\(seconds=3\)"),
        (lambda: enqueue(job.job(1), run_at=date(2025, 6, 1)), "aware datetime"),
        (lambda: enqueue(job.job(1), run_at="2025-06-01"), "aware datetime"),
        (lambda: enqueue(job.job(1), tags="a"), r"\['a'\]"),
        (lambda: client.enqueue_in(30, job.job(1)), r"timedelta\(seconds=30\)"),
        (lambda: client.enqueue_in(None, job.job(1)), "delay is None"),
        (lambda: client.enqueue_in(job.job(1), SECOND), r"write enqueue_(in|at)\("),
        (lambda: client.enqueue_at(SECOND, job.job(1)), "when is"),
        (lambda: client.enqueue_at(job.job(1), datetime.now(UTC)), r"write enqueue_(in|at)\("),
        (lambda: client.enqueue_in(SECOND, job.job(1), run_at=SECOND), "already sets the time"),
        (lambda: client.enqueue_raw("echo", "7"), "must be bytes"),
        (lambda: client.enqueue_raw(["echo"], b"7"), "not registered"),
        (lambda: client.enqueue_batch([job.job(1)], unique_key="one"), r"Enqueue\("),
        (lambda: Call(client, 7), "generate"),
        (lambda: Enqueue(job), r"\.job\(payload\)"),
    ]
    for call, advice in calls:
        with pytest.raises(TallystickError, match=advice):
            call()
    assert runner.backend.stats().total == 0


def test_no_other_attribute(runner: Runner) -> None:
    """An unknown attribute of a definition is an AttributeError."""
    job: Any = echo(runner)
    assert not hasattr(job, "colour")


def test_subclass_of_a_registered_class(runner: Runner) -> None:
    """A subclass of a registered class is rejected, and the error names the parent."""

    class Child(Plain):
        more: int = 0

    runner.register(Plain)
    with pytest.raises(UnknownKind, match=r"Child is not registered.*only its base class Plain"):
        runner.enqueue(Child())


def test_bad_batches(runner: Runner) -> None:
    """A batch that is not a list of jobs is rejected, and a generator that raises stores nothing."""
    job = echo(runner)

    def broken() -> Any:
        yield job.job(1)
        raise LookupError("broken")

    runner.register(Plain)
    batches: list[Any] = [job.job(1), job, Plain(), Enqueue(job.job(1)), {"a": job.job(1)}, "abc", b"abc", None, 7]
    wrong_items: list[Any] = [None, "a", job, Plain]
    for batch in [*batches, *([job.job(1), wrong] for wrong in wrong_items)]:
        with pytest.raises((InvalidArgument, UnknownKind)):
            runner.enqueue_batch(batch)
    with pytest.raises(LookupError):
        runner.enqueue_batch(broken())
    nothing: Any = {"colour": "red"}
    with pytest.raises(InvalidArgument, match="colour"):
        runner.enqueue_batch([], **nothing)
    assert runner.backend.stats().total == 0


@pytest.mark.parametrize("wrong", ["0192e4a0-0000-7000-8000-000000000000", None, 7, ["id"], "echo"])
def test_bad_ids(runner: Runner, wrong: Any) -> None:
    """Every method that takes a job rejects a value that is not an id."""
    for call in (runner.get, runner.result, runner.cancel, runner.requeue, runner.delete):
        with pytest.raises(InvalidArgument, match=r"pass a uuid\.UUID"):
            call(wrong)


@pytest.mark.parametrize("wrong", [30, "30", -SECOND])
def test_bad_lengths_of_time(runner: Runner, wrong: Any) -> None:
    """A timeout and a grace must be timedeltas of zero or more."""
    with pytest.raises(InvalidArgument, match="timeout is"):
        runner.result(uuid4(), timeout=wrong)
    with pytest.raises(InvalidArgument, match="grace is"):
        runner.stop(grace=wrong)


@pytest.mark.parametrize("wrong", [None, 30, "later", -SECOND, timedelta])
def test_bad_snooze(wrong: Any) -> None:
    """A snooze until an invalid moment is rejected where it is raised."""
    with pytest.raises(InvalidArgument, match="run_at is"):
        Snooze(wrong)
