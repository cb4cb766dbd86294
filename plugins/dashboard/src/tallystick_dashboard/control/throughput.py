"""Attempts by queue over a window: the sampler, from the meters that every worker sends."""

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field
from tallystick import Rate

from ..rejections import Rejection
from .plane import ControlPlane
from .rates import floor
from .times import parse_span

MINUTE = timedelta(minutes=1)
MOST_STEPS = 1_440
LONGEST = timedelta(days=7)


class Sample(BaseModel):
    """The attempts of a queue in one step."""

    since: datetime
    completed: int
    failed: int
    released: int
    cancelled: int
    per_minute: float


class QueueThroughput(BaseModel):
    """The attempts of a queue in a window, step by step. A step without attempts is left out."""

    queue: str
    per_minute: float = Field(description="The mean of the window.")
    error_rate: float
    mean_waiting: float = Field(description="Seconds.")
    mean_running: float = Field(description="Seconds.")
    samples: list[Sample]


class Throughput(BaseModel):
    """The attempts of all queues in a window."""

    since: datetime
    until: datetime
    step: float = Field(description="Seconds.")
    queues: list[QueueThroughput]


def throughput(plane: ControlPlane, window: str = "1h", step: str = "1m") -> Throughput:
    """Return the attempts by queue: spans such as 15m, 1h or 7d."""
    length, width = _span(window, "window"), _span(step, "step")
    if width % MINUTE or length // width > MOST_STEPS:
        raise Rejection(
            422,
            "step is %(step)s; it must be whole minutes, and at most %(most)s steps per window",
            step=repr(step),
            most=MOST_STEPS,
        )
    now = datetime.now(UTC)
    since, until = floor(now - length, width), now + MINUTE
    rates: dict[str, dict[datetime, Rate]] = {}
    for each in plane.runner.throughput(length, step=width):
        rates.setdefault(each.queue, {})[each.since] = each.rate
    queues = [_queue(name, steps, width, length) for name, steps in sorted(rates.items())]
    return Throughput(since=since, until=until, step=width.total_seconds(), queues=queues)


def _queue(name: str, steps: dict[datetime, Rate], width: timedelta, length: timedelta) -> QueueThroughput:
    total = Rate()
    for rate in steps.values():
        total = total.plus(rate)
    return QueueThroughput(
        queue=name,
        per_minute=total.ended / (length / MINUTE),
        error_rate=total.error_rate,
        mean_waiting=total.mean_waiting.total_seconds(),
        mean_running=total.mean_running.total_seconds(),
        samples=[
            Sample(
                since=since,
                completed=rate.completed,
                failed=rate.failed,
                released=rate.released,
                cancelled=rate.cancelled,
                per_minute=rate.ended / (width / MINUTE),
            )
            for since, rate in sorted(steps.items())
        ],
    )


def _span(text: str, name: str) -> timedelta:
    span = parse_span(text)
    if span is None or not MINUTE <= span <= LONGEST:
        raise Rejection(
            422,
            "%(name)s is %(span)s; it must be a span from 1m to 7d, e.g. 15m or 1h",
            name=name,
            span=repr(text[:60]),
        )
    return span
