"""Store whole records, all or nothing: as a batch of hidden documents, like an insert of several jobs."""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import ObjectId
from tallystick import InvalidArgument
from tallystick.backends.restore_calls import Placed, RestoreCall

from . import documents, queries, staging, updates
from .collections import Collections
from .documents import HIDDEN, Document
from .guarded_writes import sliced
from .insert_or_find import put_documents
from .inserting import store_batch


def restore(store: Collections, call: RestoreCall, *, known: Container[str]) -> Sequence[bool]:
    """Store the records of a call, and return for each whether it is new.

    Args:
        store: The collections.
        call: The records, and the time of the call.
        known: The known queues among those of the records.
    """

    def put(batch: ObjectId) -> tuple[list[Placed | None], Mapping[UUID, str]]:
        placed = _put(store, batch, call)
        return placed, {one.record.id: one.record.queue for one in placed if one is not None}

    new_queues = any(record.queue not in known for record in call.records)
    placed = store_batch(store, len(call.records), put, new_queues=new_queues)
    return [one is not None for one in placed]


def _put(store: Collections, batch: ObjectId, call: RestoreCall) -> list[Placed | None]:
    """Store the hidden documents of the records that are new.

    The first try expects that no id is stored and no key is held, which costs no read. If that is wrong, nothing stays
    of it, and the others read first.
    """
    with suppress(InvalidArgument):
        placed = call.placed((), ())
        some = [one for one in placed if one is not None]
        if len(_put_documents(store, batch, some)) == len(some):
            return placed
        for ids in sliced(call.ids):
            store.jobs.delete_many(queries.among(ids, queries.staged(batch)))
    return _look_and_put(store, batch, call)


def _look_and_put(store: Collections, batch: ObjectId, call: RestoreCall) -> list[Placed | None]:
    """Store the records that are new. Repeat what another client has stored first."""
    mine: dict[UUID, Placed] = {}
    while True:
        found = _found(store, batch, call)
        stored = {document["_id"] for document in found}
        placed = call.placed(stored, {key for document in found if (key := _held_key(document, call.now))})
        waiting = [one for one in placed if one is not None and one.record.id not in mine]
        if not waiting:
            return placed
        _free_passed(store, [one.held_key for one in waiting if one.held_key is not None], call.now)
        ids = _put_documents(store, batch, waiting)
        mine |= {one.record.id: one for one in waiting if one.record.id in ids}


def _put_documents(store: Collections, batch: ObjectId, placed: Sequence[Placed]) -> set[UUID]:
    return {
        id
        for some in sliced(placed)
        for id in put_documents(store, batch, [documents.restored(one, batch, batch) for one in some])
    }


def _found(store: Collections, batch: ObjectId, call: RestoreCall) -> list[Document]:
    """Return the documents with the ids or keys of the records, without those of the batch. Finish other batches."""
    wanted = queries.holders(call.ids, call.keys)
    while True:
        found = [document for document in store.jobs.find(wanted, queries.HOLDING) if document.get("batch") != batch]
        others: set[Any] = {document.get("batch") for document in found if document.get("state") == HIDDEN}
        if not others:
            return found
        for other in others:
            staging.resolve(store, other, patience=staging.PATIENCE)


def _held_key(document: Document, now: datetime) -> str | None:
    until = document.get("held_until")
    has_passed = isinstance(until, datetime) and until <= now
    return None if has_passed else document.get("held_key")


def _free_passed(store: Collections, keys: Sequence[str], now: datetime) -> None:
    if keys:
        store.jobs.update_many(queries.passed(keys, now), updates.FREED)
