"""Convert records to rows and back. Any row that passes the table's constraints makes a record."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from tallystick import ERRORS_KEPT, NO_META, AttemptError, Failure, Meta, Progress, Record, validation
from tallystick.backends import keys
from tallystick.backends.decoding import STATES, tags_from_json
from tallystick.backends.restore_calls import Placed
from tallystick.backends.times import micros, moment

Row = tuple[Any, ...]
Parameters = dict[str, Any]


def escaped(text: bytes) -> str:
    """Decode text as UTF-8, with invalid bytes escaped in hexadecimal."""
    return text.decode(errors="backslashreplace")


def json_list(values: Iterable[str] | None) -> str | None:
    """Return values as a JSON list, which passes any number of them in one parameter."""
    return None if values is None else json.dumps(list(values))


def _uuid(value: bytes) -> UUID:
    return UUID(bytes=value)


COLUMNS: dict[str, Callable[[Any], object] | None] = {
    "id": _uuid,
    "kind": None,
    "queue": None,
    "payload": None,
    "priority": None,
    "state": STATES.__getitem__,
    "attempt": None,
    "max_attempts": None,
    "run_at": moment,
    "created_at": moment,
    "updated_at": moment,
    "attempted_at": moment,
    "finished_at": moment,
    "lease_until": moment,
    "worker": None,
    "cancel_requested": bool,
    "unique_key": None,
    "unique_until": keys.from_text,
    "last_error": Failure.from_json,
    "result": None,
    "tags": tags_from_json,
    "meta": Meta.from_json,
}
"""The columns of a record, in the order of its fields, without the details, which only `get.sql` reads.

Each has the function that converts a value that is not NULL.
"""

NEW_COLUMNS = (
    "id",
    "kind",
    "queue",
    "payload",
    "priority",
    "max_attempts",
    "run_at",
    "unique_key",
    "unique_until",
    "tags",
    "meta",
)
"""The columns that a caller of `insert` sets."""

LARGEST_PAYLOAD = 1_800
"""The bytes of a payload up to which it is stored in the row of its job. Larger ones have a table of their own.

A page of 4 KB has two rows with payloads of this size.
"""

_META = list(COLUMNS).index("meta")
_CONVERTED = tuple((position, convert) for position, convert in enumerate(COLUMNS.values()) if convert)
_new_values = attrgetter(*NEW_COLUMNS)


def record(row: Row) -> Record:
    """Return the record of a row with `COLUMNS`."""
    values = list(row)
    for position, convert in _CONVERTED:
        if (value := values[position]) is not None:
            values[position] = convert(value)
    if values[_META] is None:
        values[_META] = NO_META
    return Record(*values)


def record_with_details(row: Row) -> Record:
    """Return the record of a row of `get.sql`, which ends with the errors (a line of JSON each) and the progress."""
    *columns, errors, progress = row
    found = record(tuple(columns))
    if errors is not None:
        lines = errors.split("\n")[-ERRORS_KEPT:]
        found = found._replace(errors=tuple(map(AttemptError.from_json, lines)))
    return found if progress is None else found._replace(progress=Progress.from_json(progress))


def records(rows: Iterable[Row]) -> list[Record]:
    """Return the record of each row."""
    return [record(row) for row in rows]


def insertion(record: Record) -> Parameters:
    """Return the parameters of `insert.sql` for a new record."""
    parameters = dict(zip(NEW_COLUMNS, _new_values(record), strict=True))
    is_large = len(record.payload) > LARGEST_PAYLOAD
    parameters["payload"], parameters["large_payload"] = (None, record.payload) if is_large else (record.payload, None)
    parameters["id"] = record.id.bytes
    parameters["run_at"] = micros(record.run_at)
    parameters["unique_until"] = keys.to_text(record.unique_until)
    parameters["tags"] = json.dumps(record.tags) if record.tags else "[]"
    parameters["meta"] = record.meta.to_json() if isinstance(record.meta, Meta) and record.meta else None
    parameters["now"] = micros(record.created_at)
    return parameters


def restoration(placed: Placed) -> Parameters:
    """Return the parameters of `restore.sql` for a whole record."""
    record = placed.record
    values = {name: micros(value) if isinstance(value, datetime) else value for name, value in record._asdict().items()}
    error = error_columns(record.last_error) if record.last_error is not None else {"error": None, "error_type": None}
    return {
        **values,
        **insertion(record),
        "state": record.state.value,
        "last_error": error["error"],
        "error_type": error["error_type"],
        "errors": "\n".join(entry.to_json() for entry in record.errors) or None,
        "progress": record.progress and record.progress.to_json(),
        "held_key": placed.held_key,
    }


def error_columns(error: Failure) -> Parameters:
    """Return the parameters of an error. Its type is NULL if no filter can name it."""
    is_name = error.type.isprintable() and 1 <= len(error.type) <= validation.NAME_LENGTH
    return {"error": error.to_json(), "error_type": error.type if is_name else None}
