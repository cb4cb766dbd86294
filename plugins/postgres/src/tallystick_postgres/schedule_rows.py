"""Convert schedules to rows and back. Any row that passes the table's constraints makes a schedule."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from tallystick import Meta, Schedule
from tallystick.backends import decoding

from . import rows
from .rows import Row

_MICROSECOND = timedelta(microseconds=1)

SCHEDULE_COLUMNS = {
    "name": "text",
    "rule": "text",
    "kind": "text",
    "payload": "bytea",
    "queue": "text",
    "priority": "smallint",
    "max_attempts": "integer",
    "tags": "text",
    "meta": "text",
    "unique_key": "text",
    "zone": "text",
    "starts_at": "timestamptz",
    "ends_at": "timestamptz",
    "missed": "text",
    "window_micros": "bigint",
    "declared": "text",
    "next_tick": "timestamptz",
    "last_tick": "timestamptz",
    "paused": "boolean",
    "revision": "bigint",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
}
"""The columns of a schedule with their types, in the order of the fields of `Schedule`."""

_DECODED: dict[str, Callable[[Any], Any]] = {
    "tags": decoding.tags_from_json,
    "meta": Meta.from_json,
    "window_micros": lambda micros: micros * _MICROSECOND,
    **{name: rows.moment for name, type_ in SCHEDULE_COLUMNS.items() if type_ == "timestamptz"},
}
_ENCODED: dict[str, Callable[[Any], object]] = {
    "tags": json.dumps,
    "meta": lambda meta: meta.to_json() if meta else None,
    "window_micros": lambda window: window // _MICROSECOND,
}


def schedule(row: Row) -> Schedule:
    """Return the schedule of a row of `SCHEDULE_COLUMNS`."""
    values = [
        _DECODED[name](value) if name in _DECODED and (value is not None or name == "meta") else value
        for name, value in zip(SCHEDULE_COLUMNS, row, strict=True)
    ]
    return Schedule(*values)


def columns(schedules: Sequence[Schedule]) -> dict[str, Any]:
    """Return the parameters of `put_schedules.sql`: one list of values for each column."""
    return {
        name: rows.array([_ENCODED[name](value) if name in _ENCODED else value for value in values])
        for name, values in zip(SCHEDULE_COLUMNS, zip(*schedules, strict=True), strict=True)
    }
