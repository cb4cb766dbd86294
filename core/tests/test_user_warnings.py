"""The warnings: of an unusual kind, and of a blocking call on an event loop."""

import asyncio
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tallystick import (
    BlockingCallWarning,
    Context,
    Job,
    KindFormatWarning,
    Runner,
    batch,
    declare,
    handles,
    job,
    raw,
)

from .hostile.anyhow import echo


class Plain(Job[None]):
    """A job whose kind has no category."""

    kind = "plain"

    def work(self, ctx: Context) -> None:
        """Do nothing."""


def one(payload: Any, ctx: Context) -> Any:
    """Return the payload."""
    return payload


def many(payloads: list[int], contexts: list[Context]) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    "define",
    [
        lambda: job("Send Mail")(one),
        lambda: raw("send")(one),
        lambda: batch("send.mail")(many),
        lambda: declare("emails:", int),
        lambda: Runner().job("emails:Send")(one),
        lambda: Runner().register(Plain),
    ],
)
def test_a_kind_without_a_category_warns(define: Callable[[], object]) -> None:
    """The warning shows the kind, says how to turn it off, and points at the line that defines the job."""
    with pytest.warns(KindFormatWarning, match=r"is not category:action.*ignore") as caught:
        define()
    assert [Path(warning.filename) for warning in caught] == [Path(__file__)]


@pytest.mark.filterwarnings("error")
def test_a_usual_kind_does_not_warn() -> None:
    """A kind with a category and an action is accepted, and so are more parts."""
    for kind in ("emails:send", "emails:send_2", "django:task:emails"):
        job(kind)(one)


def test_a_declared_kind_warns_once() -> None:
    """Its handler does not repeat the warning of the declaration."""
    with pytest.warns(KindFormatWarning):
        send = declare("send", int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        handles(send)(one)


def test_a_filter_turns_the_warning_off() -> None:
    """The category is public, so Python's filters select it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", KindFormatWarning)
        job("send")(one)


def test_a_blocking_enqueue_on_a_loop_warns_once(runner: Runner) -> None:
    """The warning names `aenqueue` and points at the caller's line. It is shown once for each line."""
    definition = echo(runner)

    async def body() -> None:
        for _ in range(2):
            runner.enqueue(definition.job(1))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        asyncio.run(body())
    [warning] = caught
    assert (warning.category, Path(warning.filename)) == (BlockingCallWarning, Path(__file__))
    assert "aenqueue" in str(warning.message)


@pytest.mark.filterwarnings("error::tallystick.BlockingCallWarning")
def test_other_enqueues_do_not_warn(runner: Runner) -> None:
    """`aenqueue` does not warn, nor does an enqueue in a thread without a loop."""
    definition = echo(runner)

    async def body() -> None:
        await runner.aenqueue(definition.job(1))
        await asyncio.to_thread(runner.enqueue, definition.job(1))

    runner.enqueue(definition.job(1))
    asyncio.run(body())
    assert runner.stats().total == 3


def test_each_enqueue_warns(runner: Runner) -> None:
    """All ways to enqueue warn."""
    definition = echo(runner)
    runner.register(Plain)

    async def body() -> None:
        for call in (
            lambda: runner.enqueue_raw("echo", b"1"),
            lambda: runner.enqueue_batch([definition.job(1)]),
            lambda: definition.enqueue(1),
            lambda: Plain().enqueue(),
        ):
            with pytest.warns(BlockingCallWarning):
                call()

    with runner:
        asyncio.run(body())
