"""Convert records to documents and back.

A document has the `FIELDS` of the record, except those that are None or empty. It can have these in addition:

- `due`: the `run_at` of a waiting job. No other document has it, so the indexes for claims contain only waiting jobs.
- `held_key`: the unique key, while the job holds it. `held_until`: when it is free again, if that is a time.
- `changed_by`: differs after each insert that changed the job. A claim compares it with that of the job it found.
- `error_type`, `error_message`: see `error_fields`.
- `told_to_stop`: True if the latest extension of the attempt returned `CANCEL_REQUESTED`.
- `calls`: the latest call of each kind that changed the document. A call uses it to find out what it changed.
- `batch`: only in a document that is not a job yet, or not any more. See `staging`.
- `restored`: beside `batch`, the state of a record that `restore` stores.

BSON has a precision of milliseconds, so all times of a record are in whole milliseconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bson import ObjectId
from tallystick import Meta, Record
from tallystick.backends import keys
from tallystick.backends.restore_calls import Placed

from .damaged import is_whole, readable
from .error_fields import described
from .fields import FIELDS, UNKNOWN

Document = Mapping[str, Any]

HIDDEN = "hidden"
"""The state of a document that is not a job. Readers skip it."""

_NAMES = [field.name for field in FIELDS]
_ABSENT = [field.absent for field in FIELDS]
_ENCODERS = [(field.name, field.encode) for field in FIELDS if field.encode is not None]
_DECODERS = [(n, field.decode) for n, field in enumerate(FIELDS) if field.decode is not None]


def inserted(record: Record, batch: ObjectId | None, call: ObjectId) -> dict[str, Any]:
    """Return the document of a new record. A record of a batch is hidden until the batch is committed."""
    document = _fields(record, record.unique_key, call)
    if batch:
        document["state"] = HIDDEN
    return document | ({"batch": batch} if batch else {"due": record.run_at})


def restored(placed: Placed, batch: ObjectId, call: ObjectId) -> dict[str, Any]:
    """Return the document of a whole record. It is hidden until its batch is committed."""
    record = placed.record
    document = _fields(record, placed.held_key, call)
    if record.last_error is not None:
        document |= described(record.last_error)
    if record.errors:
        document["errors"] = [entry.to_json() for entry in record.errors]
    return document | {"state": HIDDEN, "restored": record.state.value, "batch": batch}


def _fields(record: Record, held_key: str | None, call: ObjectId) -> dict[str, Any]:
    values = zip(_NAMES, record, _ABSENT, strict=True)
    document: dict[str, Any] = {name: value for name, value, absent in values if value is not absent}
    document |= {name: encode(document[name]) for name, encode in _ENCODERS if name in document}
    if not record.meta:
        document.pop("meta", None)
    document["calls"] = {"insert": call}
    if held_key is not None:
        document["held_key"] = held_key
    if record.unique_key is not None and isinstance(record.unique_until, timedelta):
        document["held_until"] = keys.held_until(record)
    return document


def changes(record: Record, mark: ObjectId, *, moves: bool) -> dict[str, dict[str, Any]]:
    """Return the update that stores what an insert changes in the holder of its key; run_at only if it `moves`."""
    fields = {"payload": record.payload, "tags": list(record.tags), "updated_at": record.updated_at, "changed_by": mark}
    if moves:
        fields |= {"run_at": record.run_at, "due": record.run_at}
    if isinstance(record.meta, Meta) and record.meta:
        return {"$set": {**fields, "meta": record.meta.to_json()}}
    return {"$set": fields, "$unset": {"meta": ""}}


def records(documents: Iterable[Document]) -> Iterator[Record]:
    """Yield the records of documents, with placeholders for damaged fields. Skip documents whose id is not a UUID."""
    for document in documents:
        if is_whole(document):
            yield record(document)
        elif isinstance(document["_id"], UUID):
            yield record(readable(document))


def record(document: Document) -> Record:
    """Return the record of a document."""
    values = list(map(document.get, _NAMES, _ABSENT))
    for n, decode in _DECODERS:
        if values[n] is not _ABSENT[n]:
            values[n] = decode(values[n])
    return Record._make(values)


def order_found(document: Document) -> tuple[int, datetime, bytes]:
    """Return the sort key of a waiting document in claiming order, damaged or not."""
    priority, due = document.get("priority"), document["due"]
    return (
        -priority if isinstance(priority, int) else 0,
        due if isinstance(due, datetime) else UNKNOWN,
        getattr(document["_id"], "bytes", b""),
    )
