"""Handle documents that manual edits have damaged. MongoDB stores a value of any type in any field.

Readers return them with placeholders. A claim or rescue that finds one discards it if it cannot be worked.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection
from tallystick import Failure, State

from .error_fields import described
from .fields import FIELDS

logger = logging.getLogger("tallystick.mongo")

_LAST_ATTEMPT = 2**31 - 1
"""The largest attempt number, that of a 32-bit integer. A job with it cannot be claimed again."""

_REQUIRED = {field.name: field for field in FIELDS if field.placeholder is not None}
_TYPES = [(name, field.type) for name, field in _REQUIRED.items()]
_OPTIONAL_TYPES = [
    *((field.name, field.type) for field in FIELDS if field.placeholder is None),
    ("calls", dict),
    ("due", datetime),
]
_CHECKS = [(field.name, field.is_valid) for field in FIELDS if field.is_valid is not None]

_NAMES = ("kind", "queue")
"""Of these, a damaged value is shown as text."""


def is_whole(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a valid job that can have another attempt."""
    return not _damaged(document) and document["attempt"] < _LAST_ATTEMPT


def _damaged(document: Mapping[str, Any]) -> list[str]:
    """Return the fields that are missing or have a wrong value."""
    get = document.get
    damaged = [name for name, type in _TYPES if not isinstance(get(name), type)]
    damaged += [name for name, type in _OPTIONAL_TYPES if name in document and not isinstance(get(name), type)]
    damaged += [name for name, is_valid in _CHECKS if name not in damaged and not is_valid(get(name))]
    return damaged


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with placeholders for its damaged fields, and with an error that names these fields."""
    damaged = _damaged(document)
    read = {name: value for name, value in document.items() if name not in damaged}
    read |= {name: _placeholder(name, document.get(name)) for name in damaged if name in _REQUIRED}
    return read | ({"last_error": _failure(document).to_json()} if damaged else {})


def _placeholder(name: str, value: object) -> object:
    return str(value) if name in _NAMES and value is not None else _REQUIRED[name].placeholder


def _failure(document: Mapping[str, Any]) -> Failure:
    if damaged := _damaged(document):
        return Failure("DamagedRecord", f"these fields are missing or have a wrong type: {', '.join(damaged)}")
    return Failure("DamagedRecord", "its attempt is the largest possible number")


def discard(jobs: Collection[Any], found: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Discard the documents that cannot be worked, except those that another client has changed since."""
    for document in found:
        if is_whole(document):
            continue
        failure = _failure(document)
        guard = {name: {"$eq": document.get(name)} for name in ("_id", "state", "due", "lease_until")}
        ended = {**described(failure), "state": State.DISCARDED, "finished_at": now, "updated_at": now}
        gone = dict.fromkeys(("due", "lease_until", "held_key", "calls"), "")
        if jobs.update_one(guard, {"$set": ended, "$unset": gone}).modified_count:
            logger.warning("job %s discarded: %s", document["_id"], failure.message)
