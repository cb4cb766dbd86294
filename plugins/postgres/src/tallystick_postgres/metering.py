"""Convert the numbers of meters to parameters and back."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from tallystick import Meter
from tallystick.backends.register_calls import MeterCall
from tallystick.backends.registers import Numbers

from . import rows
from .rows import Row

LONGEST_STEP = timedelta(days=10_000_000)
"""A longer step has the same effect: its only step with numbers begins in 1970. The server would overflow."""

_LARGEST = 2**63 - 1
_MICROSECOND = timedelta(microseconds=1)
_KEY = ("minute", "queue", "kind")


def columns(call: MeterCall) -> dict[str, Any]:
    """Return the parameters of `meter.sql`: one list of values for each column, with one row for each key."""
    sums: dict[tuple[datetime, str, str], Numbers] = {}
    for delta in call.deltas:
        key, more = (delta.minute, delta.queue, delta.kind), Numbers.of(delta)
        sums[key] = sums[key].plus(more) if key in sums else more
    return {
        **{name: [key[n] for key in sums] for n, name in enumerate(_KEY)},
        **{name: [_number(numbers[n]) for numbers in sums.values()] for n, name in enumerate(Numbers._fields)},
        "oldest": call.oldest,
    }


def _number(value: int | timedelta) -> int:
    return min(_LARGEST, value // _MICROSECOND if isinstance(value, timedelta) else value)


def meters(found: Sequence[Row]) -> Iterator[Meter]:
    """Yield the meter of each row of `meters.sql`."""
    for row in found:
        yield Meter(rows.moment(row[0]), *row[1:-2], *(micros * _MICROSECOND for micros in row[-2:]))
