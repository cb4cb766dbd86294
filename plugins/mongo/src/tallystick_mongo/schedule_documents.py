"""Convert schedules to documents and back.

A document has the fields of `Schedule`, except those that are None or empty. It can have these in addition:

- `mark`: identifies the latest change.
- `staging`, `fired`: the open and the committed batch of an advance. See `staging`.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tallystick import InvalidArgument, Meta, Schedule

from .documents import Document
from .fields import UNKNOWN

logger = logging.getLogger("tallystick.mongo")

_TYPES = {
    "_id": str,
    "rule": str,
    "kind": str,
    "payload": bytes,
    "queue": str,
    "priority": int,
    "max_attempts": int,
    "tags": list,
    "zone": str,
    "missed": str,
    "window": int,
    "paused": bool,
    "revision": int,
    "created_at": datetime,
    "updated_at": datetime,
}
_OPTIONAL_TYPES = {
    "unique_key": str,
    "declared": str,
    "start": datetime,
    "end": datetime,
    "next_tick": datetime,
    "last_tick": datetime,
}


def fields(schedule: Schedule) -> dict[str, Any]:
    """Return the fields of a schedule's document, except for the name. A value of None is not stored."""
    values = schedule._asdict()
    del values["name"]
    window = schedule.window // timedelta(seconds=1)
    return values | {
        "tags": list(schedule.tags),
        "meta": schedule.meta.to_json() if schedule.meta else None,
        "window": window,
    }


def document(schedule: Schedule) -> dict[str, Any]:
    """Return the document of a new schedule."""
    present = {name: value for name, value in fields(schedule).items() if value is not None}
    return {"_id": schedule.name, **present}


def schedules(documents: Iterable[Document]) -> Iterator[Schedule]:
    """Yield the schedules of documents. Skip damaged ones with a warning."""
    for found in documents:
        if (read := schedule(found)) is not None:
            yield read
        else:
            logger.warning("the schedule %r is damaged and was skipped; store it again or remove it", found["_id"])


def schedule(document: Document) -> Schedule | None:
    """Return the schedule of a document. Return None if the document is damaged, so that it cannot fire."""
    if not all(isinstance(document.get(name), type) for name, type in _TYPES.items()):
        return None
    if not all(isinstance(document[name], type) for name, type in _OPTIONAL_TYPES.items() if name in document):
        return None
    values = {name: document.get(name) for name in Schedule._fields}
    values |= {"name": document["_id"], "tags": tuple(document["tags"]), "meta": Meta.from_json(document.get("meta"))}
    try:
        read = Schedule._make((values | {"window": timedelta(seconds=document["window"])}).values())
        read.job(UNKNOWN)
    except (InvalidArgument, OverflowError):
        return None
    return read
