"""Payloads and results as JSON values, decoded by the codec of the application's runner."""

from typing import Any, NamedTuple

from tallystick import InvalidPayload, InvalidResult, Record, Runner, Schedule

from .masks import Masks, read_json


class Value(NamedTuple):
    """A JSON value, or the reason why the codec cannot decode it."""

    json: Any = None
    error: str | None = None


def payload_of(runner: Runner, stored: Record | Schedule) -> Value:
    """Return the payload of a job or a schedule, without masks."""
    try:
        return Value(read_json(runner.read_payload(stored)))
    except InvalidPayload as exc:
        return Value(error=str(exc))


def masked_payload(runner: Runner, masks: Masks, stored: Record | Schedule) -> Value:
    """Return the payload of a job or a schedule, with masks."""
    value = payload_of(runner, stored)
    return value if value.error else Value(masks.payload(value.json, stored.kind))


def masked_result(runner: Runner, masks: Masks, record: Record) -> Value:
    """Return the result of a job, with masks; None if it has none."""
    try:
        data = runner.read_result(record)
    except InvalidResult as exc:
        return Value(error=str(exc))
    return Value() if data is None else Value(masks.masked(read_json(data), record.kind))
