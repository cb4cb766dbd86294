"""Insert new jobs, all or nothing, and find existing jobs with the same id or unique key."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from random import random
from time import sleep
from uuid import UUID

from bson import ObjectId
from pymongo.errors import AutoReconnect, BulkWriteError, PyMongoError
from tallystick import BackendError, Inserted, NewRecord, OutcomeUnknown, Record, Unavailable, validation

from . import documents, known_queues, queries, staging
from .collections import Collections
from .documents import HIDDEN, Document
from .errors import rejected
from .guarded_writes import sliced
from .staging import TakenBack

MAX_PAYLOAD_BYTES = 7 * 1024 * 1024
"""A payload, a result, names and an error share one document, which MongoDB limits to 16 MB."""

MAX_BATCH = 100_000

_MAX_TRIES = 10
_MAX_PAUSE = 0.2

New = Mapping[int, NewRecord]
Put = Callable[[New], dict[int, Record]]
"""Stores new jobs, except for duplicates, and returns the stored ones. No two of the jobs may share an id or a key."""


def check(records: Sequence[NewRecord], about_now: datetime) -> None:
    """Reject jobs that cannot be stored."""
    for record in records:
        validation.size(record.payload, MAX_PAYLOAD_BYTES, "payload")
        documents.stored(record, about_now)


def insert(store: Collections, records: Sequence[NewRecord], now: datetime, *, new_queues: bool) -> list[Inserted]:
    """Store new jobs. Several jobs are stored as a batch, as is one job whose queue may be new."""
    if len(records) == 1 and not new_queues:
        return _insert_or_find(store, records, partial(_put, store, now, None), None)
    for _ in range(_MAX_TRIES):
        with suppress(TakenBack):
            return _insert_batch(store, records, now, new_queues=new_queues)
        sleep(random() * _MAX_PAUSE)
    raise Unavailable(
        f"gave up on a batch of {len(records)} jobs after {_MAX_TRIES} tries: each time another client waited for its "
        "ids or keys and took it back; retry, or insert smaller batches"
    )


def insert_in_transaction(
    store: Collections, records: Sequence[NewRecord], now: datetime, *, new_queues: bool
) -> list[Inserted]:
    """Store new jobs and make their queues known, in the caller's transaction."""
    results = _insert_or_find(store, records, partial(_put_in_transaction, store, now), None)
    if new_queues:
        known_queues.make_known(store, {result.record.queue for result in results if result.created})
    return results


def _insert_batch(
    store: Collections, records: Sequence[NewRecord], now: datetime, *, new_queues: bool
) -> list[Inserted]:
    batch = ObjectId()
    try:
        staging.begin(store, batch, len(records))
        results = _insert_or_find(store, records, partial(_put, store, now, batch), batch)
    except BaseException as exc:
        with suppress(PyMongoError):  # then a rescue takes it back
            staging.take_back(store, batch)
        if isinstance(exc, AutoReconnect):
            raise Unavailable(f"the connection was lost before the batch was stored: {exc}") from exc
        raise
    try:
        created = {result.record.id: result.record.queue for result in results if result.created}
        _end(store, batch, created, new_queues=new_queues)
    except PyMongoError as exc:
        raise OutcomeUnknown(f"the connection was lost, and the batch may be stored: {exc}") from exc
    return results


def _end(store: Collections, batch: ObjectId, queues: Mapping[UUID, str], *, new_queues: bool) -> None:
    """Commit a batch and reveal it. If the reply is lost, take the batch back, so that a late commit has no effect.

    Raises:
        TakenBack: Another client took the batch back.
        Unavailable: The reply to the commit was lost, and this call took the batch back.
        OutcomeUnknown: The reply was lost, another client finished the batch, and none of its jobs is left.
    """
    try:
        staging.commit(store, batch, new_queues=new_queues)
    except TakenBack:
        if _is_stored(store, batch, list(queues)):  # the driver repeated the commit, and another client had revealed it
            return
        staging.take_back(store, batch)  # remove jobs that were inserted after the other client took it back
        raise
    except AutoReconnect as exc:
        if staging.take_back(store, batch):
            raise Unavailable(f"the connection was lost before the batch was stored: {exc}") from exc
        if not staging.is_there(store, batch):
            if _is_stored(store, batch, list(queues)):
                return
            raise OutcomeUnknown(f"the connection was lost, and the batch may be stored: {exc}") from exc
    staging.reveal(store, batch, queues, new_queues=new_queues)


def _is_stored(store: Collections, batch: ObjectId, ids: Sequence[UUID]) -> bool:
    return (
        store.jobs.find_one({**queries.inserted_by(batch, ids), "state": queries.VISIBLE}, queries.ID_ONLY) is not None
    )


def _insert_or_find(
    store: Collections, records: Sequence[NewRecord], put: Put, batch: ObjectId | None
) -> list[Inserted]:
    results: dict[int, Inserted] = {}
    waiting = dict(enumerate(records))
    while waiting:
        some = _distinct(waiting)
        created = put(some)
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


def _distinct(waiting: New) -> dict[int, NewRecord]:
    """Return the jobs whose id and key no earlier job has. The result for the earlier job must be known first."""
    seen: set[UUID | str | None] = set()
    some: dict[int, NewRecord] = {}
    for n, new in waiting.items():
        if new.id not in seen and (new.unique_key is None or new.unique_key not in seen):
            some[n] = new
        seen |= {new.id, new.unique_key}
    return some


def _put(store: Collections, now: datetime, batch: ObjectId | None, new: New) -> dict[int, Record]:
    numbers = {one.id: n for n, one in new.items()}
    records = [documents.stored(one, now) for one in new.values()]
    return {numbers[record.id]: record for some in sliced(records) for record in _put_some(store, batch, some)}


def _put_some(store: Collections, batch: ObjectId | None, records: Sequence[Record]) -> list[Record]:
    """Store the records that are no duplicates, and return them. If the reply is lost, check that all were stored."""
    call = batch or ObjectId()
    try:
        store.jobs.insert_many(
            [documents.inserted(record, batch, call) for record in records], ordered=False, session=store.session
        )
    except BulkWriteError as exc:
        duplicates = rejected(exc)
        mine = _inserted_by(store, call, [records[n] for n in duplicates])  # the driver may have repeated the insert
        return [record for n, record in enumerate(records) if n not in duplicates or record.id in mine]
    except AutoReconnect:
        if store.session is not None or len(_inserted_by(store, call, records)) < len(records):
            raise
    return list(records)


def _inserted_by(store: Collections, call: ObjectId, records: Sequence[Record]) -> set[UUID]:
    wanted = queries.inserted_by(call, [record.id for record in records])
    return {document["_id"] for document in store.jobs.find(wanted, queries.ID_ONLY, session=store.session)}


def _put_in_transaction(store: Collections, now: datetime, new: New) -> dict[int, Record]:
    """Store the jobs that are no duplicates. Find duplicates first, because a rejected write aborts a transaction."""
    by_id, by_key = _duplicates(store, new.values(), None)
    free = {n: one for n, one in new.items() if one.id not in by_id and one.unique_key not in by_key}
    return _put(store, now, None, free) if free else {}


def _duplicates(
    store: Collections, new: Iterable[NewRecord], batch: ObjectId | None
) -> tuple[dict[UUID, Record], dict[str | None, Record]]:
    """Return the records with the ids or keys of new ones. Finish the batches of other clients that have them."""
    new = list(new)
    keys = {one.unique_key for one in new if one.unique_key is not None}
    if not new:
        return {}, {}
    found = list(store.jobs.find(queries.holders([one.id for one in new], list(keys)), session=store.session))
    for other in {document["batch"] for document in found if document["state"] == HIDDEN} - {batch}:
        _resolve(store, other)
    visible: list[Document] = [document for document in found if document["state"] != HIDDEN]
    by_id = {record.id: record for record in documents.records(visible)}
    return by_id, {document["held_key"]: _holder(document, by_id) for document in visible if "held_key" in document}


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
