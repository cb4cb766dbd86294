"""Outcomes that are refused, or whose answer is lost."""

from collections.abc import Sequence
from datetime import timedelta
from threading import Event
from typing import Any

from tallystick import (
    Context,
    Fixed,
    Outcome,
    OutcomeUnknown,
    Record,
    Runner,
    State,
)
from tallystick_memory import MemoryBackend

from ..helpers import LONG, SECOND, MakeRunner, eventually
from .anyhow import echo


def test_told_what_was_recorded(runner: Runner) -> None:
    """Callbacks and numbers tell the outcome that was recorded, not one that the store refused."""
    told: list[str] = []
    runner.on_discarded(lambda record, outcome: told.append("discarded"))

    @runner.job("fail", retry=Fixed(timedelta.max))
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.DISCARDED)
    eventually(lambda: sum(runner.snapshot()[6:]))
    assert (runner.snapshot().discarded, runner.snapshot().retried) == (1, 0)
    assert told == ["discarded"]


class Poisoned(MemoryBackend):
    """A store that refuses whatever is to be recorded of the jobs of priority 13, and holds its first settling up."""

    def __init__(self) -> None:
        super().__init__()
        self.settling, self.go_on = Event(), Event()

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Wait, and refuse."""
        self.settling.set()
        self.go_on.wait()
        records = self.get([outcome.claim.id for outcome in outcomes])
        if any(record.priority == 13 for record in records.values()):
            raise ValueError("thirteen")
        return super().settle(outcomes, **given)


def test_one_refused_outcome(make_runner: MakeRunner) -> None:
    """An outcome that the store refuses for good, even as a discard, keeps none beside it from being recorded."""
    backend = Poisoned()
    runner = make_runner(backend, concurrency=4)
    job = echo(runner)
    runner.enqueue(job.job(1), priority=20)
    runner.start()
    assert backend.settling.wait(LONG.total_seconds())
    poisoned = runner.enqueue(job.job(2), priority=13)
    eventually(lambda: runner.snapshot().unsettled == 2)
    others = [runner.enqueue(job.job(n)) for n in (3, 4)]
    eventually(lambda: runner.snapshot().unsettled == 4)
    backend.go_on.set()
    for handle in others:
        assert runner.result(handle, timeout=SECOND) in (3, 4)
    eventually(lambda: runner.snapshot().completed == 3)
    assert runner.get(poisoned).state is State.RUNNING


class LosesAnswers(MemoryBackend):
    """A store whose first settling takes effect, and whose answer is lost."""

    lost = False

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Settle, and lose the first answer."""
        answers = super().settle(outcomes, **given)
        if not self.lost:
            self.lost = True
            raise OutcomeUnknown("cut off")
        return answers


def test_lost_answer(make_runner: MakeRunner) -> None:
    """An outcome that was recorded, and whose answer was lost, is told as recorded and not as a lost claim."""
    runner = make_runner(LosesAnswers())
    told: list[Record] = []
    runner.on_completed(lambda record, outcome: told.append(record))
    job = echo(runner)
    runner.start()
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7
    eventually(lambda: runner.snapshot().unsettled == 0)
    assert runner.snapshot().lost == 0
    assert len(told) == 1
