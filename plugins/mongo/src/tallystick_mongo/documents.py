"""Between values and documents.

A document has the record's fields by their names, but those that are None, and besides:

- `due`: the `run_at` of a job that waits, and only while it waits, so that the indexes of claims hold nothing else;
- `held_key`: the unique key, only while it is held;
- `told_to_stop`: in an attempt whose latest extension answered that its cancellation was requested;
- `calls`: the latest call of each sort that changed the document, by which that call learns what it has changed;
- `batch`: only in a document that is no job yet, or not any more: see `staging`.

BSON keeps milliseconds. A due time is rounded up to them, and every other moment down, by the driver.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bson import ObjectId
from tallystick import Failure, InvalidArgument, NewRecord, Record, State

from .damaged import UNKNOWN, is_whole, readable

Document = Mapping[str, Any]

HIDDEN = "hidden"
"""The state of a document that is no job: readers leave it out."""

_FIELDS = Record._fields
_LAST = "9999-12-31T23:59:59.999000+00:00"


def rounded_up(moment: datetime, what: str = "run_at") -> datetime:
    """Return a moment in whole milliseconds, not earlier."""
    beyond = moment.microsecond % 1_000
    try:
        return moment + timedelta(microseconds=1_000 - beyond) if beyond else moment
    except OverflowError as exc:
        raise InvalidArgument(f"{what} is {moment}; the last moment that MongoDB keeps exactly is {_LAST}") from exc


def rounded_down(moment: datetime) -> datetime:
    """Return a moment in whole milliseconds, not later: as it is stored."""
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)


def stored(new: NewRecord, now: datetime) -> Record:
    """Return the record that a new job becomes at a moment of whole milliseconds."""
    record = new.stored(now)
    return record._replace(run_at=rounded_up(record.run_at))


def inserted(record: Record, batch: ObjectId | None, call: ObjectId) -> dict[str, Any]:
    """Return the document of a new record; of one that is part of a batch, hidden until the batch is committed."""
    document: dict[str, Any] = {name: value for name, value in zip(_FIELDS, record, strict=True) if value is not None}
    document["_id"] = document.pop("id")
    document["state"] = HIDDEN if batch else record.state.value
    document["tags"] = list(record.tags)
    document["calls"] = {"insert": call}
    if record.unique_key is not None:
        document["held_key"] = record.unique_key
    return document | ({"batch": batch} if batch else {"due": record.run_at})


def records(documents: Iterable[Document]) -> Iterator[Record]:
    """Yield the records of documents; one that no record can be made of is left out."""
    for document in documents:
        if is_whole(document):
            yield record(document)
        elif isinstance(document["_id"], UUID):
            yield record(readable(document))


def record(document: Document) -> Record:
    """Return the record of a document."""
    get = document.get
    error = get("last_error")
    return Record(
        document["_id"],
        document["kind"],
        document["queue"],
        document["payload"],
        document["priority"],
        State(document["state"]),
        document["attempt"],
        document["max_attempts"],
        document["run_at"],
        document["created_at"],
        document["updated_at"],
        get("attempted_at"),
        get("finished_at"),
        get("lease_until"),
        get("worker"),
        get("cancel_requested", False),
        get("unique_key"),
        get("unique_until", "finished"),
        None if error is None else Failure.from_json(error),
        get("result"),
        tuple(get("tags", ())),
    )


def claiming_order(record: Record) -> tuple[int, datetime, bytes]:
    """Return where a record stands among those of one claim."""
    return (-record.priority, record.run_at, record.id.bytes)


def order_found(document: Document) -> tuple[int, datetime, bytes]:
    """Return the same of a document that waits, whole or not."""
    priority, due = document.get("priority"), document["due"]
    return (
        -priority if isinstance(priority, int) else 0,
        due if isinstance(due, datetime) else UNKNOWN,
        getattr(document["_id"], "bytes", b""),
    )
