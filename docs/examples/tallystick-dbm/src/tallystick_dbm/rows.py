"""A record as a row of JSON and back: any bytes, any text and each microsecond as they were."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick import Failure, Record, State

_READ: dict[str, Callable[[Any], object]] = {
    "id": UUID,
    "payload": b64decode,
    "state": State,
    "run_at": datetime.fromisoformat,
    "created_at": datetime.fromisoformat,
    "updated_at": datetime.fromisoformat,
    "attempted_at": datetime.fromisoformat,
    "finished_at": datetime.fromisoformat,
    "lease_until": datetime.fromisoformat,
    "last_error": Failure.from_json,
    "result": b64decode,
    "tags": tuple,
}


def plain(value: object) -> str:
    """Return as text what `json.dumps` does not know; the record itself is a tuple, which it writes as an array."""
    match value:
        case UUID():
            return value.hex
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case Failure():
            return value.to_json()
    raise TypeError(f"a record has no {type(value).__name__}")


def record(row: Sequence[Any]) -> Record:
    """Return the record that a row was written from."""
    values = dict(zip(Record._fields, row, strict=True))
    for field, read in _READ.items():
        if values[field] is not None:
            values[field] = read(values[field])
    return Record(**values)
