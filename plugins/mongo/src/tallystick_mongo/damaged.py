"""Handle documents that manual edits have damaged. MongoDB stores a value of any type in any field.

Readers return them with placeholders. A claim or rescue that finds one discards it if it cannot be worked.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pymongo.collection import Collection
from tallystick import Failure, State

logger = logging.getLogger("tallystick.mongo")

_LAST_ATTEMPT = 2**31 - 1
"""The largest attempt number, that of a 32-bit integer. A job with it cannot be claimed again."""

UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""The placeholder for a time that cannot be read."""

_REQUIRED: dict[str, tuple[type, object]] = {
    "kind": (str, "?"),
    "queue": (str, "?"),
    "payload": (bytes, b""),
    "priority": (int, 0),
    "attempt": (int, 0),
    "max_attempts": (int, 0),
    "run_at": (datetime, UNKNOWN),
    "created_at": (datetime, UNKNOWN),
    "updated_at": (datetime, UNKNOWN),
    "cancel_requested": (bool, False),
    "unique_until": (str, "finished"),
    "tags": (list, []),
}
_OPTIONAL: dict[str, type] = {
    "attempted_at": datetime,
    "finished_at": datetime,
    "lease_until": datetime,
    "worker": str,
    "unique_key": str,
    "last_error": str,
    "result": bytes,
    "calls": dict,
    "due": datetime,
}
_STATES = frozenset(State)


def is_whole(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a valid job that can have another attempt."""
    return isinstance(document["_id"], UUID) and not _damaged(document) and document["attempt"] < _LAST_ATTEMPT


def _damaged(document: Mapping[str, Any]) -> list[str]:
    get = document.get
    damaged = [name for name, (kind, _) in _REQUIRED.items() if not isinstance(get(name), kind)]
    damaged += [name for name, kind in _OPTIONAL.items() if name in document and not isinstance(get(name), kind)]
    if "tags" not in damaged and not all(isinstance(tag, str) for tag in document["tags"]):
        damaged.append("tags")
    return damaged if get("state") in _STATES else [*damaged, "state"]


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with placeholders for its damaged fields, and with an error that names these fields."""
    damaged = _damaged(document)
    read = {name: value for name, value in document.items() if name not in damaged}
    read |= {name: _placeholder(name, document.get(name)) for name in damaged if name in _REQUIRED}
    return read | ({"last_error": _failure(document).to_json()} if damaged else {})


def _placeholder(name: str, value: object) -> object:
    kind, placeholder = _REQUIRED[name]
    return str(value) if kind is str and value is not None else placeholder


def _failure(document: Mapping[str, Any]) -> Failure:
    if damaged := _damaged(document):
        return Failure("DamagedRecord", f"these fields are missing or have a wrong type: {', '.join(damaged)}")
    return Failure("DamagedRecord", "its attempt is the largest possible number, or its id is not a UUID")


def discard(jobs: Collection[Any], found: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Discard the documents that cannot be worked, except those that another client has changed since."""
    for document in found:
        if is_whole(document):
            continue
        failure = _failure(document)
        guard = {name: document.get(name) for name in ("_id", "state", "due", "lease_until")}
        ended = {"state": State.DISCARDED, "last_error": failure.to_json(), "finished_at": now, "updated_at": now}
        gone = dict.fromkeys(("due", "lease_until", "held_key", "calls"), "")
        if jobs.update_one(guard, {"$set": ended, "$unset": gone}).modified_count:
            logger.warning("job %s discarded: %s", document["_id"], failure.message)
