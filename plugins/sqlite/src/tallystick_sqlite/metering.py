"""Store and read meters."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tallystick import Meter
from tallystick.backends.register_calls import MeterCall, MetersCall
from tallystick.backends.registers import Numbers
from tallystick.backends.times import MICROSECOND, micros, moment

from .queries import Queries
from .rows import Parameters, Row

_LARGEST = 2**63 - 1
_LOW_BITS = 32
_HOUR = 3_600_000_000


def meter(connection: sqlite3.Connection, queries: Queries, call: MeterCall) -> None:
    """Add numbers to meters in a write transaction, and remove the oldest ones."""
    connection.execute(queries.remove_meters, {"oldest": micros(call.oldest)})
    for (minute, queue, kind), numbers in _sums(call).items():
        key = {"minute": micros(minute), "queue": queue, "kind": kind}
        connection.execute(queries.meter, {**key, **{name: _stored(n) for name, n in numbers._asdict().items()}})


def _sums(call: MeterCall) -> dict[tuple[datetime, str, str], Numbers]:
    sums: dict[tuple[datetime, str, str], Numbers] = {}
    for delta in call.deltas:
        key, more = (delta.minute, delta.queue, delta.kind), Numbers.of(delta)
        sums[key] = sums[key].plus(more) if key in sums else more
    return sums


def _stored(value: int | timedelta) -> int:
    return min(_LARGEST, value // MICROSECOND if isinstance(value, timedelta) else value)


def meters(connection: sqlite3.Connection, queries: Queries, call: MetersCall) -> Sequence[Meter]:
    """Return the meters of a range of time, added up by steps. All statements must see the same snapshot."""
    step = min(_LARGEST, call.step // MICROSECOND)  # a longer step has the same effect: it begins in 1970
    parts = [*_parts(micros(call.since), micros(call.until), step)]
    try:
        return [_meter(row) for part in parts for row in connection.execute(queries.meters, part)]
    except sqlite3.OperationalError as exc:
        if str(exc) != "integer overflow":
            raise
    return [_meter(_joined(row)) for part in parts for row in connection.execute(queries.meters_large, part)]


def _parts(since: int, until: int, step: int) -> Iterator[Parameters]:
    """Yield parts of a range, about an hour each, that contain whole steps. SQLite sorts many small parts faster."""
    length = step * max(1, _HOUR // step)
    while since < until:
        end = until if since < 0 else min(until, since - since % length + length)
        yield {"since": since, "until": end, "step": step}
        since = end


def _joined(row: Row) -> Row:
    """Return a row of `meters.sql` for one of `meters_large.sql`."""
    start, queue, kind, *parts = row
    sums = (min(_LARGEST, (high << _LOW_BITS) + low) for high, low in zip(parts[::2], parts[1::2], strict=True))
    return start, queue, kind, *sums


def _meter(row: Row) -> Meter:
    start, queue, kind, *counts, waiting, running = row
    return Meter(moment(start), queue, kind, *counts, *(micros * MICROSECOND for micros in (waiting, running)))
