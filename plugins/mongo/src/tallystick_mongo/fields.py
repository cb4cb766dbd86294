"""The fields of a record in its document: the only list of them in this package.

To add a field to records, add it to `FIELDS`. The conversions in `documents` and the checks in `damaged` follow.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from tallystick import NO_META, Failure, Meta, Progress, State
from tallystick.backends import keys
from tallystick.backends.decoding import STATES

from .error_fields import read_errors

UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""The placeholder for a time that cannot be read."""


class Field(NamedTuple):
    """One field of a record, and how its document stores it.

    Args:
        name: Its name in the document: that in `Record`, except for the id.
        type: The type of a stored value. A value of another type is damaged.
        placeholder: Replaces a damaged value. None marks an optional field, which may be absent.
        encode: Converts a value of the record to the stored one.
        decode: Converts a stored value back.
        is_valid: Checks a stored value of the right type.
        absent: The value that the absence of the field stands for.
    """

    name: str
    type: type
    placeholder: object = None
    encode: Callable[[Any], object] | None = None
    decode: Callable[[Any], object] | None = None
    is_valid: Callable[[Any], bool] | None = None
    absent: object = None


def _are_texts(values: list[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_until(text: str) -> bool:
    return keys.to_text(keys.from_text(text)) == text


FIELDS = (
    Field("_id", UUID),
    Field("kind", str, "?"),
    Field("queue", str, "?"),
    Field("payload", bytes, b""),
    Field("priority", int, 0),
    Field("state", str, State.DISCARDED.value, attrgetter("value"), STATES.__getitem__, STATES.__contains__),
    Field("attempt", int, 0),
    Field("max_attempts", int, 0),
    Field("run_at", datetime, UNKNOWN),
    Field("created_at", datetime, UNKNOWN),
    Field("updated_at", datetime, UNKNOWN),
    Field("attempted_at", datetime),
    Field("finished_at", datetime),
    Field("lease_until", datetime),
    Field("worker", str),
    Field("cancel_requested", bool, placeholder=False),
    Field("unique_key", str),
    Field("unique_until", str, "finished", keys.to_text, keys.from_text, _is_until),
    Field("last_error", str, encode=Failure.to_json, decode=Failure.from_json),
    Field("result", bytes),
    Field("tags", list, (), list, tuple, _are_texts),
    Field("meta", object, encode=Meta.to_json, decode=Meta.from_json, absent=NO_META),
    Field("errors", object, decode=read_errors, absent=()),
    Field("progress", object, encode=Progress.to_json, decode=Progress.from_json),
)
"""The fields of `Record`, in its order."""
