"""Convert records to rows and back. Any row that passes the table's constraints makes a record."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from tallystick import Failure, Record, State

Parameters = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STATES = {state.value: state for state in State}


def micros(moment: datetime) -> int:
    """Return a datetime as microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)  # the records of one batch share most of their times
def moment(micros: int) -> datetime:
    """Return the datetime of a number of microseconds since 1970, clamped to the range of `datetime`."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return _LAST if micros > 0 else _FIRST


def _optional(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)


def json_list(values: Iterable[str] | None) -> str | None:
    """Return values as a JSON list, which passes any number of them in one parameter."""
    return None if values is None else json.dumps(list(values))


def insertion(record: Record) -> Parameters:
    """Return the parameters of `insert.sql` for a new record."""
    return {
        "id": record.id.bytes,
        "kind": record.kind,
        "queue": record.queue,
        "priority": record.priority,
        "max_attempts": record.max_attempts,
        "run_at": micros(record.run_at),
        "now": micros(record.created_at),
        "unique_key": record.unique_key,
        "unique_until": record.unique_until,
        "tags": json.dumps(record.tags) if record.tags else "[]",
        "payload": record.payload,
    }


def record(row: tuple[Any, ...]) -> Record:
    """Return the record of a row, whose columns are the fields of `Record` in order."""
    (id, kind, queue, payload, priority, state, attempt, max_attempts, run_at, created_at, updated_at, *rest) = row
    (attempted_at, finished_at, lease_until, worker, cancel_requested, unique_key, unique_until, *rest) = rest
    (last_error, result, tags) = rest
    return Record(
        UUID(bytes=id),
        kind,
        queue,
        payload,
        priority,
        _STATES[state],
        attempt,
        max_attempts,
        moment(run_at),
        moment(created_at),
        moment(updated_at),
        _optional(attempted_at),
        _optional(finished_at),
        _optional(lease_until),
        worker,
        bool(cancel_requested),
        unique_key,
        unique_until,
        None if last_error is None else Failure.from_json(last_error),
        result,
        _tags(tags),
    )


def claiming_order(row: tuple[Any, ...]) -> tuple[int, int, bytes]:
    """Return the sort key of a row in claiming order."""
    return (-row[4], row[8], row[0])


def _tags(text: str) -> tuple[str, ...]:
    if text == "[]":
        return ()
    try:
        tags = json.loads(text)
    except (ValueError, RecursionError):
        return (text,)
    return tuple(map(str, tags)) if isinstance(tags, list) else (text,)
