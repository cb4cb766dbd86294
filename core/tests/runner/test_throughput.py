"""`runner.throughput` samples the attempts of all workers from the meters."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tallystick import InvalidArgument, MeterDelta, Runner, Throughput

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def add(runner: Runner, now: datetime, ago: timedelta, **numbers: int) -> datetime:
    """Add attempts to a minute, and return its start."""
    minute = (now - ago).replace(second=0, microsecond=0)
    spent = timedelta(seconds=sum(numbers.values()))
    for kind in ("first", "second"):
        delta = MeterDelta(minute=minute, queue="emails", kind=kind, waiting=spent, running=2 * spent, **numbers)
        runner.backend.meter([delta])
    return minute


def test_attempts_are_added_up_by_step_and_queue() -> None:
    """Kinds are added up. A step without attempts has no entry."""
    now = datetime.now(UTC)
    with Runner("memory://") as runner:
        assert runner.throughput() == []
        earlier = add(runner, now, 20 * MINUTE, completed=6, retried=1, discarded=1, released=1, cancelled=1)
        add(runner, now, 2 * HOUR, completed=100)
        [sample] = runner.throughput(step=MINUTE)
        assert (sample.since, sample.step, sample.queue) == (earlier, MINUTE, "emails")
        assert (sample.rate.ended, sample.rate.failed, sample.per_minute) == (20, 4, 20.0)
        assert sample.rate.error_rate == 4 / 16
        assert (sample.rate.mean_waiting, sample.rate.mean_running) == (timedelta(seconds=1), timedelta(seconds=2))
        day: list[Throughput] = list(asyncio.run(runner.athroughput(timedelta(days=1), step=timedelta(days=1))))
        assert sum(sample.rate.ended for sample in day) == 220


@pytest.mark.parametrize(
    ("window", "step"),
    [(timedelta(0), MINUTE), (-HOUR, MINUTE), (timedelta(days=8), HOUR), (HOUR, timedelta(seconds=90))],
)
def test_a_window_or_step_that_stores_cannot_sample_is_rejected(window: timedelta, step: timedelta) -> None:
    """Meters are kept for seven days, by whole minutes."""
    with Runner("memory://") as runner, pytest.raises(InvalidArgument):
        runner.throughput(window, step=step)
