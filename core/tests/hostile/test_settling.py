"""Outcomes that the store rejects, and outcomes whose response is lost."""

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


def test_recorded_outcome_is_reported(runner: Runner) -> None:
    """Callbacks and counters receive the outcome that was recorded, not one that the store rejected."""
    called: list[str] = []
    runner.on_discarded(lambda record, outcome: called.append("discarded"))

    @runner.job("fail", retry=Fixed(timedelta.max))
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.DISCARDED)
    eventually(lambda: sum(runner.snapshot()[6:]))
    assert (runner.snapshot().discarded, runner.snapshot().retried) == (1, 0)
    assert called == ["discarded"]


class Poisoned(MemoryBackend):
    """A store that blocks its first `settle`, and rejects every outcome of jobs with priority 13."""

    def __init__(self) -> None:
        super().__init__()
        self.settling, self.proceed = Event(), Event()

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Wait, and reject."""
        self.settling.set()
        self.proceed.wait()
        records = self.get([outcome.claim.id for outcome in outcomes])
        if any(record.priority == 13 for record in records.values()):
            raise ValueError("thirteen")
        return super().settle(outcomes, **kwargs)


def test_one_rejected_outcome(make_runner: MakeRunner) -> None:
    """An outcome that the store rejects for good, even as a discard, does not affect the others."""
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
    backend.proceed.set()
    for handle in others:
        assert runner.result(handle, timeout=SECOND) in (3, 4)
    eventually(lambda: runner.snapshot().completed == 3)
    assert runner.get(poisoned).state is State.RUNNING


class LosesAnswers(MemoryBackend):
    """A store that loses the response of its first `settle`, although it records the outcomes."""

    lost = False

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Settle, and lose the first response."""
        results = super().settle(outcomes, **kwargs)
        if not self.lost:
            self.lost = True
            raise OutcomeUnknown("cut off")
        return results


def test_lost_response(make_runner: MakeRunner) -> None:
    """An outcome whose response was lost counts as recorded and not as a lost claim."""
    runner = make_runner(LosesAnswers())
    called: list[Record] = []
    runner.on_completed(lambda record, outcome: called.append(record))
    job = echo(runner)
    runner.start()
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7
    eventually(lambda: runner.snapshot().unsettled == 0)
    assert runner.snapshot().lost == 0
    assert len(called) == 1
