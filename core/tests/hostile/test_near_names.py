"""A name that does not exist: the error suggests the most similar one, and lists what exists."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tallystick import Context, Filter, Job, Runner, State, TallystickError, open_backend
from tallystick.testing import manual

from .anyhow import echo


class Send(Job[None]):
    """A job."""

    kind = "emails:send"
    address: str

    def work(self, ctx: Context) -> None:
        """Do nothing."""


anything: Any = Filter
anything_made: Any = Runner
"""The classes without their types: each call below is wrong on purpose."""


def use(runner: Runner) -> Runner:
    """Register two kinds and a schedule."""
    runner.register(Send)
    echo(runner)
    runner.put_schedule("@daily", Send(address="a"), name="newsletter")
    return runner


def looks_for_a_field(runner: Runner) -> None:
    """Look for a job by a field that its class does not have."""
    with manual(runner) as jobs:
        jobs.refute_enqueued(Send, adress="a")


def weighs_a_queue(runner: Runner) -> None:
    """Start a runner that gives a weight to a queue that it does not serve."""
    weighing = Runner(queues=["default", "emails"], queue_weights={"email": 2})
    weighing.register(Send)
    with weighing:
        weighing.start()


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda runner: runner.enqueue_raw("email:send", b"{}"), r"did you mean 'emails:send'\? the registered kinds"),
        (lambda runner: runner.enqueue_raw("nothing alike", b"{}"), "the registered kinds are: echo, emails:send"),
        (lambda runner: runner.enqueue(Send(address="a"), prioritty=3), "did you mean priority="),
        (lambda runner: runner.job("a:b", quee="a"), "did you mean queue="),
        (lambda runner: anything_made(concurency=3), r"did you mean concurrency\?"),
        (lambda runner: runner.pause_schedule("newsleter"), r"did you mean 'newsletter'\? the schedules are"),
        (lambda runner: anything(kind=["a"]), r"did you mean 'kinds'\? the fields are"),
        (lambda runner: anything(colour="red"), r"has no field 'colour'; the fields are"),
        (lambda runner: anything(states=["complet"]), r"did you mean 'completed'\? the states are"),
        (lambda runner: anything(states=["failed"]), r"did you mean 'discarded'\?"),
        (lambda runner: anything(states=["Succeeded"]), r"did you mean 'completed'\?"),
        (lambda runner: anything(states=[7]), "states has 7; the states are"),
        (looks_for_a_field, r"did you mean 'address'\? its fields are"),
        (weighs_a_queue, r"did you mean 'emails'\? it serves default, emails"),
        (lambda runner: open_backend("sqlit:///jobs.db"), "write sqlite:///jobs.db"),
        (lambda runner: open_backend("postgress://host/db"), "write postgresql://"),
        (lambda runner: open_backend("sqlite:///jobs.db?journal=wal"), r"\(did you mean 'journal_mode'\?\)"),
    ],
)
def test_a_similar_name_is_suggested(runner: Runner, call: Callable[[Runner], object], advice: str) -> None:
    """The message has the suggestion and the names that exist."""
    use(runner)
    with pytest.raises(TallystickError, match=advice):
        call(runner)


def test_a_filter_is_otherwise_as_before() -> None:
    """A filter without unknown fields is created, compared and copied as any dataclass."""
    assert Filter(kinds=["a"]) == Filter(kinds=["a"]) != Filter(states=[State.PENDING])


def test_throughput_of_a_number(runner: Runner) -> None:
    """A number in place of a duration is rejected by name."""
    wrong: Any = 3
    with pytest.raises(TallystickError, match="window is 3"):
        runner.throughput(wrong)
    with pytest.raises(TallystickError, match="step is 3"):
        runner.throughput(timedelta(hours=1), step=wrong)
