"""Convert rows to records, and values to parameters. Any row that passes the table's constraints makes a record.

A `timestamptz` arrives in binary format, as a number of microseconds, and `moment` converts it. That is fast, because
most jobs of a batch share their times, and the result is in UTC whatever the session's time zone is.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from tallystick import NO_META, AttemptError, Failure, Meta, Progress, Record, validation
from tallystick.backends import decoding, keys

Row = tuple[Any, ...]

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


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


COLUMNS: dict[str, Callable[[Any], object] | None] = {
    "id": None,
    "kind": None,
    "queue": None,
    "payload": None,
    "priority": None,
    "state": decoding.STATES.__getitem__,
    "attempt": None,
    "max_attempts": None,
    "run_at": moment,
    "created_at": moment,
    "updated_at": moment,
    "attempted_at": moment,
    "finished_at": moment,
    "lease_until": moment,
    "worker": None,
    "cancel_requested": None,
    "unique_key": None,
    "unique_until": keys.from_text,
    "last_error": Failure.from_json,
    "result": None,
    "tags": decoding.tags,
    "meta": Meta.from_json,
}
"""The columns of a record, in the order of its fields, without the details, which only `get.sql` reads.

Each has the function that converts a value that is not NULL.
"""

NEW_COLUMNS = {
    "id": "uuid",
    "kind": "text",
    "queue": "text",
    "payload": "bytea",
    "priority": "smallint",
    "max_attempts": "integer",
    "unique_key": "text",
    "unique_until": "text",
    "meta": "text",
}
"""The columns that a caller of `insert` sets, with their types. The statements convert `run_at` and `tags`."""

RESTORED_COLUMNS = {
    **NEW_COLUMNS,
    "state": "text",
    "attempt": "integer",
    "run_at": "timestamptz",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "attempted_at": "timestamptz",
    "finished_at": "timestamptz",
    "lease_until": "timestamptz",
    "worker": "text",
    "cancel_requested": "boolean",
    "last_error": "text",
    "result": "bytea",
    "error_type": "text",
    "progress": "text",
    "held_key": "text",
}
"""The columns that a caller of `restore` sets, with their types. `restore.sql` itself converts `tags` and `errors`."""

_WIDTH = len(COLUMNS)
_META = list(COLUMNS).index("meta")
_CONVERTED = tuple((position, convert) for position, convert in enumerate(COLUMNS.values()) if convert)


def record(row: Row) -> Record:
    """Return the record of a row that begins with `COLUMNS`."""
    values = [*row[:_WIDTH]]
    for position, convert in _CONVERTED:
        if (value := values[position]) is not None:
            values[position] = convert(value)
    if values[_META] is None:
        values[_META] = NO_META
    return Record(*values)


def record_with_details(row: Row) -> Record:
    """Return the record of a row of `get.sql`, which ends with the errors and the progress."""
    found, (errors, progress) = record(row), row[_WIDTH:]
    if errors:
        found = found._replace(errors=tuple(map(AttemptError.from_json, errors)))
    return found if progress is None else found._replace(progress=Progress.from_json(progress))


def records(rows: Sequence[Row]) -> list[Record]:
    """Return the record of each row."""
    return [record(row) for row in rows]


def error_type(error: Failure) -> str | None:
    """Return the type of an error, or None if no filter can name it."""
    return error.type if error.type.isprintable() and 1 <= len(error.type) <= validation.NAME_LENGTH else None


def error_columns(error: Failure) -> dict[str, str | None]:
    """Return the parameters of an error."""
    return {"error": error.to_json(), "error_type": error_type(error)}


def array(values: Sequence[object]) -> Sequence[object] | None:
    """Return values as a parameter of `unnest`; if all are None, return None, which `unnest` pads with NULL."""
    return None if all(value is None for value in values) else values


def tags(values: Sequence[str]) -> str | None:
    """Return tags as an array literal: PostgreSQL has no array of arrays with different lengths."""
    return "{" + ",".join(json.dumps(value, ensure_ascii=False) for value in values) + "}" if values else "{}"


def meta(values: Mapping[str, str]) -> str | None:
    """Return the metadata of a job as JSON, or None if it has none."""
    return values.to_json() if values and isinstance(values, Meta) else None
