"""Batches that are stored whole or not at all, on servers without transactions too.

A batch is a document of its own: it is opened, the jobs are stored hidden with its id, and changing it to `committed`
is the one atomic step. Then queues that are new are noted, the jobs are revealed, and the batch's document is removed.

Whoever meets a hidden document decides by the batch's: committed, it goes on with revealing; open, it may take the
batch back by removing that document, after which the commit of a writer that was only slow changes nothing, and tells
it so; without a document, the hidden ones are leftovers. So a process may die at any place, and several may help.

Ids of batches are made by clients and tell when, by which the impatient are polite; nothing but that goes by them.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from . import known_queues, queries
from .collections import Collections
from .guarded_writes import sliced
from .queries import OPEN, QUEUE_ONLY, REVEALED, committed, staged

PATIENCE = 2.0
"""Seconds that who is held up by an open batch waits, before it takes that back."""

ABANDONED = timedelta(minutes=1)
"""How old an open batch is that a rescue takes back."""

_PAUSE = 0.02


class TakenBack(Exception):
    """Another, who was held up by it, took the batch back; nothing of it is stored."""


def begin(store: Collections, batch: ObjectId, size: int) -> None:
    """Open a batch."""
    with suppress(DuplicateKeyError):  # the driver has repeated it
        store.batches.insert_one({"_id": batch, **OPEN, "jobs": size})


def commit(store: Collections, batch: ObjectId, *, new_queues: bool) -> None:
    """Decide that the jobs of a batch are stored; say whether some of their queues may not be known yet.

    Raises:
        TakenBack: the decision was made otherwise.
    """
    decided = store.batches.update_one({"_id": batch, **OPEN}, committed(new_queues=new_queues)).modified_count
    if not decided and store.batches.find_one({"_id": batch}) is None:  # else the driver has repeated it
        raise TakenBack


def reveal(store: Collections, batch: ObjectId, queues: Mapping[UUID, str], *, new_queues: bool) -> None:
    """Make the jobs of a committed batch what they are; until the last one is, readers may see a part.

    Args:
        queues: The queue of each of its jobs that may be hidden yet.
    """
    if new_queues:
        known_queues.make_known(store, set(queues.values()))
    for some in sliced(list(queues)):
        store.jobs.update_many(queries.among(some, staged(batch)), REVEALED)
    store.batches.delete_one({"_id": batch})


def take_back(store: Collections, batch: ObjectId) -> bool:
    """Remove an open batch and its jobs, and say whether it was open.

    One that was committed is left as it is; of one that is gone, what is hidden yet is removed.
    """
    was_open = bool(store.batches.delete_one({"_id": batch, **OPEN}).deleted_count)
    if was_open or not is_there(store, batch):
        for some in sliced(list(_hidden(store, batch))):
            store.jobs.delete_many(queries.among(some, staged(batch)))
    return was_open


def _hidden(store: Collections, batch: ObjectId) -> dict[UUID, str]:
    return {job["_id"]: job["queue"] for job in store.jobs.find(staged(batch), QUEUE_ONLY)}


def is_there(store: Collections, batch: ObjectId) -> bool:
    """Say whether a batch has not come to its end."""
    return store.batches.find_one({"_id": batch}) is not None


def resolve(store: Collections, batch: ObjectId, *, patience: float) -> None:
    """Bring a batch to its end: wait for its writer, go on for it, or take it back."""
    deadline = monotonic() + patience
    while (found := store.batches.find_one({"_id": batch})) and found["state"] == "open" and monotonic() < deadline:
        sleep(_PAUSE)
    if found and found["state"] == "committed":
        reveal(store, batch, _hidden(store, batch), new_queues=found["new_queues"])
    else:
        take_back(store, batch)


def long_ago() -> ObjectId:
    """Return what the ids of batches are below whose writers must have died."""
    return ObjectId.from_datetime(datetime.now(UTC) - ABANDONED)


def sweep(store: Collections) -> None:
    """Bring to their end the batches of writers that died, and remove what such left."""
    old = long_ago()
    unfinished: dict[str, Any] = {"$or": [{"state": "committed"}, {"_id": {"$lt": old}}]}
    for found in store.batches.find(unfinished, {"_id": 1}):
        resolve(store, found["_id"], patience=0)
    for batch in store.jobs.distinct("batch", {"batch": {"$exists": True, "$lt": old}}):
        resolve(store, batch, patience=0)
