"""Convert rows to records, and values to parameters. Any row that passes the table's constraints makes a record.

A `timestamptz` arrives in binary format, as a number of microseconds, and `moment` converts it. That is fast, because
most jobs of a batch share their times, and the result is in UTC whatever the session's time zone is.
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
    """Return the datetime of a number of microseconds since 2000, clamped to the range of `datetime`."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return _LAST if micros > 0 else _FIRST


def micros(moment: datetime) -> int:
    """Return a datetime as a number of microseconds since 2000."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _optional(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)


def record(row: Row) -> Record:
    """Return the record of a row, whose first columns are the fields of `Record` in order."""
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
    """Return the record of each row."""
    return [record(row) for row in rows]


def claiming_order(row: Row) -> tuple[int, int, bytes]:
    """Return the sort key of a row in claiming order."""
    return (-row[4], row[8], row[0].bytes)


def array(values: Sequence[object]) -> Sequence[object] | None:
    """Return values as a parameter of `unnest`; if all are None, return None, which `unnest` pads with NULL."""
    return None if all(value is None for value in values) else values


def tags(values: Sequence[str]) -> str | None:
    """Return tags as an array literal: PostgreSQL has no array of arrays with different lengths."""
    return "{" + ",".join(json.dumps(value, ensure_ascii=False) for value in values) + "}" if values else "{}"
