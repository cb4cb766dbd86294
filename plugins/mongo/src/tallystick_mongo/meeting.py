"""Change the waiting jobs that hold the unique keys of new jobs, as `on_conflict` says.

The new jobs are stored first, all or nothing, so a call that fails has changed no holder. Then each holder changes in
one step, if it still waits. If it has started or gone, the insert of its new job is decided again.
"""

from collections.abc import Callable, Container, Mapping
from functools import partial
from uuid import UUID

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError
from tallystick import BackendError, Inserted, NewRecord, OutcomeUnknown, Record
from tallystick.backends import keys
from tallystick.backends.calls import InsertCall

from . import documents, queries
from .collections import Collections
from .error_fields import UNREAD
from .inserting import insert

Meet = Callable[[Record, NewRecord, Record], Inserted]


def insert_and_meet(store: Collections, call: InsertCall, *, known: Container[str]) -> list[Inserted]:
    """Store new jobs as `insert` does, then change the holders of their keys in the order of the jobs."""
    records = call.stored()
    results = insert(store, records, known=known)
    if all(new.on_conflict == "skip" for new in call.records):
        return results
    meet = partial(_meet, store, known)
    seen: dict[UUID | str, Record] = {}
    try:
        for n, (new, record) in enumerate(zip(call.records, records, strict=True)):
            result = results[n] if results[n].created else _again(meet, results[n], new, record, seen)
            results[n] = result
            seen[result.record.id] = result.record
            if new.unique_key is not None and (result.created or result.record.id != new.id):
                seen[new.unique_key] = result.record
    except (PyMongoError, BackendError) as exc:
        if store.session is None and any(result.created or result.applied for result in results):
            raise OutcomeUnknown(f"some jobs were stored or changed, and others may have been: {exc}") from exc
        raise
    return results


def _again(meet: Meet, result: Inserted, new: NewRecord, record: Record, seen: Mapping[UUID | str, Record]) -> Inserted:
    """Return the result for a job that was not stored; `seen` has jobs by id and by key, as this call left them."""
    if result.record.id == new.id or new.unique_key is None:
        return result._replace(record=seen.get(new.id, result.record))
    holder = seen.get(new.unique_key, result.record)
    return result._replace(record=holder) if new.on_conflict == "skip" else meet(holder, new, record)


def _meet(store: Collections, known: Container[str], holder: Record, new: NewRecord, record: Record) -> Inserted:
    while True:
        result = keys.met(holder, new, record.run_at, record.created_at)
        if result.applied is None:
            return result
        stored = _change(store, new, result)
        if stored is not None:
            return result._replace(record=stored)
        found = insert(store, [record], known=known)[0]
        if found.created or found.record.id == new.id or found.record == holder:  # a damaged one stays as it is
            return found
        holder = found.record  # it has changed, or it is another job


def _change(store: Collections, new: NewRecord, result: Inserted) -> Record | None:
    """Store the changed holder if it still waits, and return its record."""
    changed = result.record
    assert new.unique_key is not None
    document = store.jobs.find_one_and_update(
        queries.held_by(changed.id, new.unique_key, changed.kind, changed.created_at),
        documents.changes(changed, ObjectId(), moves=result.applied == "debounce"),
        projection=UNREAD,
        return_document=ReturnDocument.AFTER,
        session=store.session,
    )
    return next(documents.records([document]), None) if document is not None else None
