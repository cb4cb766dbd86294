"""Convert schedules to rows and back. Any row that passes the table's constraints makes a schedule."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tallystick import Meta, Schedule
from tallystick.backends import decoding
from tallystick.backends.times import MICROSECOND, micros

from .rows import Parameters, Row


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def _window(micros: int) -> timedelta:
    return micros * MICROSECOND


_TIME = (decoding.optional_moment, _micros)

SCHEDULE_COLUMNS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]] | None] = {
    "name": None,
    "rule": None,
    "kind": None,
    "payload": None,
    "queue": None,
    "priority": None,
    "max_attempts": None,
    "tags": (decoding.tags_from_json, json.dumps),
    "meta": (Meta.from_json, lambda meta: meta.to_json() if meta else None),
    "unique_key": None,
    "zone": None,
    "starts_at": _TIME,
    "ends_at": _TIME,
    "missed": None,
    "window_micros": (_window, lambda window: window // MICROSECOND),
    "declared": None,
    "next_tick": _TIME,
    "last_tick": _TIME,
    "paused": (bool, int),
    "revision": None,
    "created_at": _TIME,
    "updated_at": _TIME,
}
"""The columns of a schedule, in the order of its fields. Each has functions that read and write a value, if needed."""


def schedule(row: Row) -> Schedule:
    """Return the schedule of a row of `SCHEDULE_COLUMNS`."""
    values = zip(SCHEDULE_COLUMNS.values(), row, strict=True)
    return Schedule(*(convert[0](value) if convert else value for convert, value in values))


def columns(schedule: Schedule) -> Parameters:
    """Return the parameters of `put_schedules.sql`."""
    values = zip(SCHEDULE_COLUMNS.items(), schedule, strict=True)
    return {name: convert[1](value) if convert else value for (name, convert), value in values}
