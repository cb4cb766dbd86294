"""Attempts by queue and step of time, from the meters that every worker sends."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import add
from typing import NamedTuple, Self

from ..contract.backend import Backend
from ..contract.registers import METERS_KEPT, Meter
from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Rate(NamedTuple):
    """The attempts of a span of time: how many ended in each way, and the sums of their times."""

    completed: int = 0
    retried: int = 0
    discarded: int = 0
    released: int = 0
    cancelled: int = 0
    waiting: timedelta = timedelta(0)
    running: timedelta = timedelta(0)

    @classmethod
    def of(cls, meters: Iterable[Meter]) -> Self:
        """Add up meters."""
        rate = cls()
        for meter in meters:
            rate = rate.plus(cls(*meter[3:]))
        return rate

    def plus(self, other: "Rate") -> Self:
        """Return the sum of two rates."""
        return type(self)(*map(add, self, other))

    @property
    def failed(self) -> int:
        """The attempts that failed."""
        return self.retried + self.discarded

    @property
    def ended(self) -> int:
        """All attempts."""
        return self.completed + self.failed + self.released + self.cancelled

    @property
    def error_rate(self) -> float:
        """The share of failed attempts among those that completed or failed."""
        return self.failed / (self.failed + self.completed) if self.failed else 0.0

    @property
    def mean_waiting(self) -> timedelta:
        """The mean time from run_at to the claim."""
        return self.waiting / max(self.ended, 1)

    @property
    def mean_running(self) -> timedelta:
        """The mean time from the claim to the outcome."""
        return self.running / max(self.ended, 1)


class Throughput(NamedTuple):
    """The attempts of a queue in the step that begins at `since`."""

    since: datetime
    step: timedelta
    queue: str
    rate: Rate

    @property
    def per_minute(self) -> float:
        """The attempts per minute. The last step may have begun a moment ago, so its value may be low."""
        return self.rate.ended / (self.step / MINUTE)


def read(backend: Backend, window: timedelta, step: timedelta) -> Sequence[Throughput]:
    """Return the attempts of a window, by the start of the step, then queue."""
    if not isinstance(window, timedelta) or not MINUTE <= window <= METERS_KEPT:
        raise InvalidArgument(f"window is {safe_repr(window)}; it must be from one minute to {METERS_KEPT.days} days")
    now = datetime.now(UTC)
    rates: dict[tuple[datetime, str], Rate] = {}
    for meter in backend.meters(now - window, now + MINUTE, step=step):
        key = meter.since, meter.queue
        rates[key] = rates.get(key, Rate()).plus(Rate(*meter[3:]))
    return [Throughput(since, step, queue, rate) for (since, queue), rate in sorted(rates.items())]
