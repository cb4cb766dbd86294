"""Throughput and error rates, from the meters."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import add
from typing import NamedTuple, Self

from tallystick import Meter


class Rate(NamedTuple):
    """The attempts of a span of time."""

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


def by_queue(meters: Iterable[Meter]) -> dict[str, Rate]:
    """Return the rate of each queue."""
    rates: dict[str, Rate] = {}
    for meter in meters:
        rates[meter.queue] = rates.get(meter.queue, Rate()).plus(Rate(*meter[3:]))
    return rates


class Series(NamedTuple):
    """The attempts of each step, the earliest first."""

    starts: list[datetime]
    completed: list[int]
    failed: list[int]


def series(meters: Sequence[Meter], now: datetime, step: timedelta, count: int) -> Series:
    """Return the last `count` steps up to now. A step without numbers is zero."""
    first = floor(now, step) - (count - 1) * step
    starts = [first + index * step for index in range(count)]
    completed, failed = [0] * count, [0] * count
    for meter in meters:
        index = (meter.since - first) // step
        if 0 <= index < count:
            completed[index] += meter.completed
            failed[index] += meter.retried + meter.discarded
    return Series(starts, completed, failed)


def floor(moment: datetime, step: timedelta) -> datetime:
    """Return the start of the step that contains a time."""
    epoch = datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return epoch + (moment - epoch) // step * step
