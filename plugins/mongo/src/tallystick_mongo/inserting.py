"""Insert new jobs, all or nothing: one job by itself, several as a batch."""

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from random import random
from time import sleep
from typing import TypeVar
from uuid import UUID

from bson import ObjectId
from pymongo.errors import AutoReconnect, PyMongoError
from tallystick import Inserted, NewRecord, OutcomeUnknown, Record, Unavailable

from . import known_queues, queries, staging
from .collections import Collections
from .insert_or_find import insert_or_find
from .staging import TakenBack

_MAX_TRIES = 10
_MAX_PAUSE = 0.2

_MAX_QUEUES = 1_000
"""For a batch with more queues, skip the lookup and treat all queues as new."""

T = TypeVar("T")


def queues_of(records: Sequence[NewRecord | Record]) -> set[str]:
    """Return the queues to look up before an insert."""
    queues = {record.queue for record in records}
    return queues if len(queues) <= _MAX_QUEUES else set()


def insert(store: Collections, records: Sequence[Record], *, known: Container[str]) -> list[Inserted]:
    """Store new jobs. Several jobs are stored as a batch, as is one job whose queue may be new.

    Args:
        store: The collections. If they are bound to a caller's transaction, the insert is part of it.
        records: The jobs to store.
        known: The known queues among those of the jobs.
    """
    new_queues = any(record.queue not in known for record in records)
    if store.session is not None:
        return _insert_in_transaction(store, records, new_queues=new_queues)
    if len(records) == 1 and not new_queues:
        return insert_or_find(store, records)

    def put(batch: ObjectId) -> tuple[list[Inserted], dict[UUID, str]]:
        results = insert_or_find(store, records, batch)
        return results, {result.record.id: result.record.queue for result in results if result.created}

    return store_batch(store, len(records), put, new_queues=new_queues)


def store_batch(
    store: Collections, size: int, put: Callable[[ObjectId], tuple[T, Mapping[UUID, str]]], *, new_queues: bool
) -> T:
    """Store a batch of jobs, all or nothing, and return the result of `put`.

    Args:
        store: The collections.
        size: The number of jobs.
        put: Stores the hidden jobs of a batch, and returns a result, and the queue of each of these jobs by its id.
        new_queues: Whether some of the queues may be new.
    """
    for _ in range(_MAX_TRIES):
        with suppress(TakenBack):
            return _try_to_store(store, size, put, new_queues=new_queues)
        sleep(random() * _MAX_PAUSE)
    raise Unavailable(
        f"gave up on a batch of {size} jobs after {_MAX_TRIES} tries: each time another client waited for its "
        "ids or keys and took it back; retry, or insert smaller batches"
    )


def _insert_in_transaction(store: Collections, records: Sequence[Record], *, new_queues: bool) -> list[Inserted]:
    results = insert_or_find(store, records)
    if new_queues:
        known_queues.make_known(store, {result.record.queue for result in results if result.created})
    return results


def _try_to_store(
    store: Collections, size: int, put: Callable[[ObjectId], tuple[T, Mapping[UUID, str]]], *, new_queues: bool
) -> T:
    batch = ObjectId()
    try:
        staging.begin(store, batch, size)
        result, queues = put(batch)
    except BaseException as exc:
        with suppress(PyMongoError):  # then a rescue takes it back
            staging.take_back(store, batch)
        if isinstance(exc, AutoReconnect):
            raise Unavailable(f"the connection was lost before the batch was stored: {exc}") from exc
        raise
    try:
        _end(store, batch, queues, new_queues=new_queues)
    except PyMongoError as exc:
        raise OutcomeUnknown(f"the connection was lost, and the batch may be stored: {exc}") from exc
    return result


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
