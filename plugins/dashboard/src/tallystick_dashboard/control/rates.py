"""Rates by queue and series for charts, from the meters."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tallystick import Meter, Rate


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
