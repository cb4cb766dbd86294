"""Store new jobs except for duplicates, and find the stored jobs with the same id or unique key."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import ObjectId
from pymongo.errors import AutoReconnect, BulkWriteError
from tallystick import BackendError, Inserted, Record, Unavailable

from . import documents, queries, staging, updates
from .collections import Collections
from .documents import HIDDEN, Document
from .error_fields import UNREAD
from .errors import rejected
from .guarded_writes import sliced

New = Mapping[int, Record]
"""New jobs by their numbers in the call."""


def insert_or_find(store: Collections, records: Sequence[Record], batch: ObjectId | None = None) -> list[Inserted]:
    """Store new jobs, and return each job or the one that it duplicates.

    Args:
        store: The collections. If they are bound to a caller's transaction, the jobs are stored in it.
        records: The jobs to store.
        batch: The batch in which the jobs stay hidden.
    """
    put = _put if store.session is None else _find_and_put
    results: dict[int, Inserted] = {}
    waiting = dict(enumerate(records))
    while waiting:
        some = _distinct(waiting)
        created = {n: some[n] for n in put(store, batch, some)}
        results |= {n: Inserted(record, created=True) for n, record in created.items()}
        waiting = {n: new for n, new in waiting.items() if n not in created}
        by_id, by_key = _duplicates(store, waiting.values(), batch)
        by_id |= {record.id: record for record in created.values()}
        by_key |= {record.unique_key: record for record in created.values() if record.unique_key is not None}
        undecided: set[UUID | str | None] = set()  # ids and keys that an earlier job may still be stored with
        for n, new in waiting.items():
            holder = by_id.get(new.id) or by_key.get(new.unique_key)
            if holder is not None and new.id not in undecided:
                results[n] = Inserted(holder, created=False)
            else:
                undecided |= {new.id, new.unique_key}
        waiting = {n: new for n, new in waiting.items() if n not in results}
    return [results[n] for n in range(len(records))]


def _distinct(waiting: New) -> dict[int, Record]:
    """Return the jobs whose id and key no earlier job has. The result for the earlier job must be known first."""
    seen: set[UUID | str | None] = set()
    some: dict[int, Record] = {}
    for n, new in waiting.items():
        if new.id not in seen and (new.unique_key is None or new.unique_key not in seen):
            some[n] = new
        seen |= {new.id, new.unique_key}
    return some


def _put(store: Collections, batch: ObjectId | None, new: New) -> set[int]:
    """Store the jobs that are no duplicates, and return their numbers. No two jobs may share an id or a key."""
    numbers = {one.id: n for n, one in new.items()}
    return {numbers[record.id] for some in sliced(list(new.values())) for record in _put_some(store, batch, some)}


def _put_some(store: Collections, batch: ObjectId | None, records: Sequence[Record]) -> list[Record]:
    call = batch or ObjectId()
    ids = put_documents(store, call, [documents.inserted(record, batch, call) for record in records])
    return [record for record in records if record.id in ids]


def put_documents(store: Collections, call: ObjectId, new: Sequence[Document]) -> set[UUID]:
    """Store the documents that no index rejects, and return their ids. If the reply is lost, check that all are stored.

    Args:
        store: The collections.
        call: The mark of this call in the documents.
        new: The documents, with distinct ids.
    """
    ids = [document["_id"] for document in new]
    try:
        store.jobs.insert_many(new, ordered=False, session=store.session)
    except BulkWriteError as exc:
        duplicates = [ids[n] for n in rejected(exc)]
        return {*ids} - {*duplicates} | _inserted_by(store, call, duplicates)  # the driver may have repeated the insert
    except AutoReconnect:
        if store.session is not None or len(_inserted_by(store, call, ids)) < len(ids):
            raise
    return {*ids}


def _inserted_by(store: Collections, call: ObjectId, ids: Sequence[UUID]) -> set[UUID]:
    wanted = queries.inserted_by(call, ids)
    return {document["_id"] for document in store.jobs.find(wanted, queries.ID_ONLY, session=store.session)}


def _find_and_put(store: Collections, batch: ObjectId | None, new: New) -> set[int]:
    """Do the same as `_put`, but find duplicates first, because a rejected write aborts a transaction."""
    by_id, by_key = _duplicates(store, new.values(), batch)
    free = {n: one for n, one in new.items() if one.id not in by_id and one.unique_key not in by_key}
    return _put(store, batch, free) if free else set()


def _duplicates(
    store: Collections, new: Iterable[Record], batch: ObjectId | None
) -> tuple[dict[UUID, Record], dict[str | None, Record]]:
    """Return the records with the ids or keys of new ones. Finish the batches of other clients that have them."""
    new = list(new)
    keys = {one.unique_key for one in new if one.unique_key is not None}
    if not new:
        return {}, {}
    holders = queries.holders([one.id for one in new], list(keys))
    found = list(store.jobs.find(holders, UNREAD, session=store.session))
    batches: set[Any] = {document.get("batch") for document in found if document.get("state") == HIDDEN}
    for other in batches - {batch}:
        _resolve(store, other)
    visible: list[Document] = [document for document in found if document.get("state") != HIDDEN]
    by_id = {record.id: record for record in documents.records(visible)}
    holding = _holding(store, visible, list(keys), new[0].created_at)
    return by_id, {document["held_key"]: _holder(document, by_id) for document in holding}


def _holding(store: Collections, found: Sequence[Document], keys: Sequence[str], now: datetime) -> list[Document]:
    """Return the documents that hold a key. Free the keys of those whose time has passed."""
    holding = [document for document in found if "held_key" in document]
    passed = [document for document in holding if isinstance(at := document.get("held_until"), datetime) and at <= now]
    if not passed:
        return holding
    store.jobs.update_many(queries.passed(keys, now), updates.FREED, session=store.session)
    return [document for document in holding if document not in passed]


def _holder(document: Document, by_id: Mapping[UUID, Record]) -> Record:
    try:
        return by_id[document["_id"]]
    except KeyError:
        raise BackendError(
            f"unique key {document['held_key']!r} is held by a document whose _id is not a UUID, but "
            f"{document['_id']!r}; delete it from collection jobs"
        ) from None


def _resolve(store: Collections, batch: ObjectId) -> None:
    if store.session is not None:
        raise Unavailable("an unfinished batch has some of these ids or keys; start the transaction again")
    staging.resolve(store, batch, patience=staging.PATIENCE)
