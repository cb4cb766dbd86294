"""The lines of an export: JSON objects for jobs, schedules and paused queues, and the way back without loss.

Payloads and results are the stored bytes: text if they are UTF-8, and else `{"base64": ...}`.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ..contract.attempt_errors import AttemptError
from ..contract.failure import Failure
from ..contract.meta import Meta
from ..contract.progress import Progress
from ..contract.records import Record
from ..contract.schedules import NewSchedule, Schedule
from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr

_SECOND = timedelta(seconds=1)
_LAST = datetime.max.replace(tzinfo=UTC)


def line(type: str, fields: Mapping[str, object]) -> str:
    """Return one line, without its end."""
    return json.dumps({"type": type, **fields}, default=_plain)


def job(record: Record) -> str:
    """Return the line of a job."""
    progress = record.progress and record.progress._asdict()
    return line("job", record._asdict() | {"errors": [_entry(error) for error in record.errors], "progress": progress})


def schedule(stored: Schedule) -> str:
    """Return the line of a schedule."""
    return line("schedule", {name: value for name, value in stored._asdict().items() if name not in _NOT_KEPT})


_NOT_KEPT = ("revision", "updated_at")
"""The fields of a schedule that another store sets itself."""

_SCHEDULE_FIELDS = [name for name in Schedule._fields if name not in _NOT_KEPT]


def parsed(text: bytes) -> dict[str, Any]:
    """Return the object of a line.

    Raises:
        InvalidArgument: The line is no JSON object with a type.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidArgument(
            f"this is no JSON: {safe_repr(text.decode(errors='replace'))}; export again ({exc})"
        ) from exc
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise InvalidArgument(f"this is no object with a type: {safe_repr(found)}; export again")
    return found


def record(found: Mapping[str, Any]) -> Record:
    """Return the record of a job's line. `Backend.restore` checks its values.

    Raises:
        InvalidArgument: A field is missing, unknown or cannot be read.
    """
    return Record(**_values(found, Record._fields))


def new_schedule(found: Mapping[str, Any]) -> NewSchedule:
    """Return the schedule of a line, with its next tick. Without a next tick, it has ended.

    Raises:
        InvalidArgument: A field is missing, unknown or has a value that no schedule can have.
    """
    values = _values(found, _SCHEDULE_FIELDS)
    next_tick = values.pop("next_tick")
    after = _LAST if next_tick is None else next_tick - timedelta(microseconds=1)
    return NewSchedule(**values, after=after)


def _values(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    if missing := [name for name in names if name not in found]:
        raise InvalidArgument(f"the {found['type']} has no field {missing[0]!r}; export again")
    if unknown := [name for name in found if name not in names and name != "type"]:
        raise InvalidArgument(f"the {found['type']} has the unknown field {safe_repr(unknown[0])}; remove it")
    return {name: _value(name, found[name]) for name in names}


def _value(name: str, value: Any) -> Any:
    if value is None or name not in _READ:
        return value
    try:
        return _READ[name](value)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as exc:
        raise InvalidArgument(
            f"{name} is {safe_repr(value)}, which cannot be read; export again ({safe_repr(exc)})"
        ) from exc


def _plain(value: object) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            return value // _SECOND
        case UUID():
            return str(value)
        case Failure():
            return asdict(value)
        case Meta():
            return dict(value)
        case bytes():
            return _readable(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in an export")


def _readable(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except ValueError:
        return {"base64": b64encode(data).decode()}


def _entry(error: AttemptError) -> dict[str, object]:
    return {"attempt": error.attempt, "at": error.at, **asdict(error.error)}


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else b64decode(value["base64"], validate=True)


def _until(value: Any) -> Any:
    return timedelta(seconds=value) if isinstance(value, int) else value


def _failure(value: Any) -> Failure:
    return Failure(value["type"], value["message"], value["traceback"])


def _errors(value: Any) -> tuple[AttemptError, ...]:
    return tuple(AttemptError(each["attempt"], datetime.fromisoformat(each["at"]), _failure(each)) for each in value)


def _progress(value: Any) -> Progress:
    return Progress(value["fraction"], value["message"], datetime.fromisoformat(value["at"]))


_READ: dict[str, Callable[[Any], object]] = {
    "id": UUID,
    "payload": _bytes,
    "result": _bytes,
    "unique_until": _until,
    "last_error": _failure,
    "errors": _errors,
    "progress": _progress,
    "tags": tuple,
    "meta": Meta,
    "window": lambda value: timedelta(seconds=value),
    **dict.fromkeys(
        (
            "run_at",
            "created_at",
            "updated_at",
            "attempted_at",
            "finished_at",
            "lease_until",
            "start",
            "end",
            "next_tick",
            "last_tick",
        ),
        datetime.fromisoformat,
    ),
}
"""How a field is read, if JSON has no such value."""
