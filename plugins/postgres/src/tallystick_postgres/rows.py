"""Between values and rows. Reading is total: whatever passes the table's constraints makes a record.

A `timestamptz` is read as what it is on the wire, a number of microseconds, and made a moment here: that is quick, in
UTC whatever the session's zone is, and most jobs of a batch share their moments.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from tallystick import Failure, Record, State

Row = tuple[Any, ...]

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_STATES = {state.value: state for state in State}


@lru_cache(maxsize=4096)
def moment(micros: int) -> datetime:
    """Return the moment that is so many microseconds from 2000; what no datetime can be, as the nearest that can."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return _LAST if micros > 0 else _FIRST


def micros(moment: datetime) -> int:
    """Return how many microseconds from 2000 a moment is."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _optional(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)


def record(row: Row) -> Record:
    """Return the record of a row whose first columns are a record's fields, in their order."""
    return Record(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        _STATES[row[5]],
        row[6],
        row[7],
        moment(row[8]),
        moment(row[9]),
        moment(row[10]),
        _optional(row[11]),
        _optional(row[12]),
        _optional(row[13]),
        row[14],
        row[15],
        row[16],
        row[17],
        None if row[18] is None else Failure.from_json(row[18]),
        row[19],
        _tags(row[20]) if row[20] else (),
    )


def _tags(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(value if isinstance(value, str) else str(value) for value in values)


def records(rows: Sequence[Row]) -> list[Record]:
    """Return the records of rows."""
    return [record(row) for row in rows]


def claiming_order(row: Row) -> tuple[int, int, bytes]:
    """Return where a row stands among those of one claim."""
    return (-row[4], row[8], row[0].bytes)


def array(values: Sequence[object]) -> Sequence[object] | None:
    """Return values as a parameter for `unnest`; None, which it pads with NULL, where all are None."""
    return None if all(value is None for value in values) else values


def tags(values: Sequence[str]) -> str | None:
    """Return tags as the text of an array, since an array cannot have rows of several lengths."""
    return "{" + ",".join(json.dumps(value, ensure_ascii=False) for value in values) + "}" if values else "{}"
