"""Convert records to JSON and back without loss: any bytes, any text, and microseconds."""

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
    """Convert a value that `json.dumps` does not support to text. A record is a tuple, which it writes as an array."""
    match value:
        case UUID():
            return value.hex
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case Failure():
            return value.to_json()
    raise TypeError(f"a record contains a value of type {type(value).__name__}, which has no JSON form")


def record(row: Sequence[Any]) -> Record:
    """Return the record of a JSON array."""
    values = dict(zip(Record._fields, row, strict=True))
    for field, read in _READ.items():
        if values[field] is not None:
            values[field] = read(values[field])
    return Record(**values)
