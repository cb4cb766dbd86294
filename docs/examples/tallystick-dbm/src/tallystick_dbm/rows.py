"""Convert records and the entries of registers to JSON and back without loss: any bytes, any text, microseconds."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import AttemptError, Beat, Failure, Meta, Progress, Record, Schedule, State, UniqueUntil, WorkerInfo
from tallystick.backends import keys, registers

Meter = tuple[datetime, str, str]
"""The minute, queue and kind of numbers."""

_MICROSECOND = timedelta(microseconds=1)


def _duration(text: str) -> timedelta:
    return int(text) * _MICROSECOND


def _unique_until(value: str) -> UniqueUntil:
    return keys.from_text(value) if value.isalpha() else _duration(value)


def _errors(rows: Sequence[Sequence[Any]]) -> tuple[AttemptError, ...]:
    return tuple(AttemptError(n, datetime.fromisoformat(at), Failure.from_json(text)) for n, at, text in rows)


def _progress(row: Sequence[Any]) -> Progress:
    fraction, message, at = row
    return Progress(fraction, message, datetime.fromisoformat(at))


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
    "unique_until": _unique_until,
    "last_error": Failure.from_json,
    "result": b64decode,
    "tags": tuple,
    "meta": Meta.from_json,
    "errors": _errors,
    "progress": _progress,
    "start": datetime.fromisoformat,
    "end": datetime.fromisoformat,
    "window": _duration,
    "next_tick": datetime.fromisoformat,
    "last_tick": datetime.fromisoformat,
    "waiting": _duration,
    "running": _duration,
}
"""How a field of a record, a schedule or numbers is read, if JSON has no such value."""


def plain(value: object) -> str:
    """Convert a value that `json.dumps` does not support to text. A record is a tuple, which it writes as an array."""
    match value:
        case UUID():
            return value.hex
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case Failure() | Meta() | Beat():
            return value.to_json()
        case timedelta():
            return str(value // _MICROSECOND)
    raise TypeError(f"a row contains a value of type {type(value).__name__}, which has no JSON form")


def record(row: Sequence[Any]) -> Record:
    """Return the record of a JSON array."""
    return Record(**_values(Record._fields, row))


def schedule(row: Sequence[Any]) -> Schedule:
    """Return the schedule of a JSON array."""
    return Schedule(**_values(Schedule._fields, row))


def numbers(row: Sequence[Any]) -> registers.Numbers:
    """Return the numbers of a JSON array."""
    return registers.Numbers(**_values(registers.Numbers._fields, row))


def meter(row: Sequence[Any]) -> Meter:
    """Return the minute, queue and kind of a JSON array."""
    minute, queue, kind = row
    return datetime.fromisoformat(minute), queue, kind


def worker(name: str, row: Sequence[Any]) -> WorkerInfo:
    """Return the worker of a JSON array: its beat, and the time and ttl of the beat."""
    text, seen_at, ttl = row
    return Beat.from_json(name, text).info(datetime.fromisoformat(seen_at), _duration(ttl))


def _values(fields: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    values = zip(fields, row, strict=True)
    return {name: _READ[name](value) if name in _READ and value is not None else value for name, value in values}
