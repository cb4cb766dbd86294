"""Documents that somebody damaged by hand: MongoDB keeps a value of any type in any field.

They are read with placeholders. One that no attempt can be made of is discarded by the claim or rescue that meets it.
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
"""An attempt after which there is none: a client's number would grow beyond what is kept as one."""

UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for a moment that cannot be read."""

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
    """Say whether a document makes a record that can be worked."""
    return isinstance(document["_id"], UUID) and not _damaged(document) and document["attempt"] < _LAST_ATTEMPT


def _damaged(document: Mapping[str, Any]) -> list[str]:
    get = document.get
    damaged = [name for name, (kind, _) in _REQUIRED.items() if not isinstance(get(name), kind)]
    damaged += [name for name, kind in _OPTIONAL.items() if name in document and not isinstance(get(name), kind)]
    if "tags" not in damaged and not all(isinstance(tag, str) for tag in document["tags"]):
        damaged.append("tags")
    return damaged if get("state") in _STATES else [*damaged, "state"]


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with placeholders for what cannot be read, and with a note as its error."""
    damaged = _damaged(document)
    read = {name: value for name, value in document.items() if name not in damaged}
    read |= {name: _placeholder(name, document.get(name)) for name in damaged if name in _REQUIRED}
    return read | ({"last_error": _failure(document).to_json()} if damaged else {})


def _placeholder(name: str, value: object) -> object:
    kind, placeholder = _REQUIRED[name]
    return str(value) if kind is str and value is not None else placeholder


def _failure(document: Mapping[str, Any]) -> Failure:
    if damaged := _damaged(document):
        return Failure("DamagedRecord", f"these fields are missing or of a wrong type: {', '.join(damaged)}")
    return Failure("DamagedRecord", "its attempt is the largest number, or its id is no UUID")


def discard(jobs: Collection[Any], found: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Discard those of some documents that cannot be worked; each that others changed meanwhile is left as it is."""
    for document in found:
        if is_whole(document):
            continue
        failure = _failure(document)
        guard = {name: document.get(name) for name in ("_id", "state", "due", "lease_until")}
        ended = {"state": State.DISCARDED, "last_error": failure.to_json(), "finished_at": now, "updated_at": now}
        gone = dict.fromkeys(("due", "lease_until", "held_key", "calls"), "")
        if jobs.update_one(guard, {"$set": ended, "$unset": gone}).modified_count:
            logger.warning("job %s discarded: %s", document["_id"], failure.message)
