"""Store batches all or nothing, also on servers without transactions.

The writer inserts a document for the batch with the state `open`. It inserts the jobs as hidden documents with the
batch's id. It then changes the state to `committed`: this update is the only atomic step. Finally it makes new queues
known, reveals the jobs and deletes the batch's document.

A client that finds a hidden job reads the batch's document:

- `committed`: the client reveals the batch.
- `open`: the client may take the batch back by deleting the document. The commit of a slow writer then changes nothing,
  and the writer notices.
- no document: the hidden jobs are leftovers, and the client deletes them.

So a process may die at any point, and several clients may finish the same batch.

The jobs of an advance are a batch, too. The document of its schedule replaces the document of the batch: it contains
the batch's id as `staging` while the batch is open, and as `fired` once it is committed. So one update of this document
commits the batch and moves the schedule. See `advancing`.

The id of a batch contains the writer's time. It only decides how soon a rescue takes an open batch back.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from . import known_queues, queries, register_queries
from .collections import Collections
from .guarded_writes import sliced
from .queries import OPEN, QUEUE_ONLY, committed, staged
from .register_queries import FINISHED_ADVANCE, UNSTAGED
from .updates import REVEALED

PATIENCE = 2.0
"""Seconds that a conflicting insert waits for an open batch before it takes the batch back."""

ABANDONED = timedelta(minutes=1)
"""The age at which a rescue takes back an open batch."""

PAUSE = 0.02
"""Seconds between two looks at an open batch."""


class TakenBack(Exception):
    """Another client that waited for the batch took it back. None of its jobs is stored."""


def begin(store: Collections, batch: ObjectId, size: int) -> None:
    """Open a batch."""
    with suppress(DuplicateKeyError):  # the driver repeated the insert
        store.batches.insert_one({"_id": batch, **OPEN, "jobs": size})


def commit(store: Collections, batch: ObjectId, *, new_queues: bool) -> None:
    """Commit a batch, and record whether some of its queues may be new.

    Raises:
        TakenBack: Another client took the batch back.
    """
    decided = store.batches.update_one({"_id": batch, **OPEN}, committed(new_queues=new_queues)).modified_count
    if not decided and store.batches.find_one({"_id": batch}) is None:  # else the driver repeated the commit
        raise TakenBack


def reveal(store: Collections, batch: ObjectId, queues: Mapping[UUID, str], *, new_queues: bool) -> None:
    """Make the jobs of a committed batch visible. Until this ends, readers may see a part of the batch.

    One command reveals all jobs, so a writer that dies leaves none or all of them visible.

    Args:
        queues: The queue of each job that may still be hidden, by the job's id.
    """
    if new_queues:
        known_queues.make_known(store, set(queues.values()))
    store.jobs.update_many(queries.among(list(queues), staged(batch)), REVEALED)
    store.batches.delete_one({"_id": batch})


def take_back(store: Collections, batch: ObjectId) -> bool:
    """Delete an open batch and its jobs, and return whether it was open.

    A committed batch stays unchanged. If the batch no longer exists, delete its hidden jobs.
    """
    was_open = bool(store.batches.delete_one({"_id": batch, **OPEN}).deleted_count) or bool(
        store.schedules.update_one({"staging": batch}, UNSTAGED).modified_count
    )
    if was_open or not is_there(store, batch):
        for some in sliced(list(_hidden(store, batch))):
            store.jobs.delete_many(queries.among(some, staged(batch)))
    return was_open


def _hidden(store: Collections, batch: ObjectId) -> dict[UUID, str]:
    return {job["_id"]: job["queue"] for job in store.jobs.find(staged(batch), QUEUE_ONLY)}


def is_there(store: Collections, batch: ObjectId) -> bool:
    """Return whether a batch is unfinished."""
    return _found(store, batch) is not None


def _found(store: Collections, batch: ObjectId) -> Mapping[str, Any] | None:
    """Return the document of a batch, or one with the same fields for the batch of an advance."""
    if (found := store.batches.find_one({"_id": batch})) is not None:
        return found
    schedule = store.schedules.find_one(register_queries.schedule_of(batch))
    if schedule is None:
        return None
    return {"state": "committed" if schedule.get("fired") == batch else "open", "new_queues": True}


def finish(store: Collections, batch: ObjectId) -> None:
    """Make the jobs of a committed advance visible. Several clients may do so."""
    reveal(store, batch, _hidden(store, batch), new_queues=True)
    store.schedules.update_one({"fired": batch}, FINISHED_ADVANCE)


def resolve(store: Collections, batch: ObjectId, *, patience: float) -> None:
    """Finish a batch: wait for its writer up to `patience` seconds, then reveal it or take it back."""
    deadline = monotonic() + patience
    while (found := _found(store, batch)) and found["state"] == "open" and monotonic() < deadline:
        sleep(PAUSE)
    if found and found["state"] == "committed":
        reveal(store, batch, _hidden(store, batch), new_queues=found["new_queues"])
        store.schedules.update_one({"fired": batch}, FINISHED_ADVANCE)
    else:
        take_back(store, batch)


def abandoned_before() -> ObjectId:
    """Return the id below which every open batch counts as abandoned."""
    return ObjectId.from_datetime(datetime.now(UTC) - ABANDONED)


def sweep(store: Collections) -> None:
    """Finish the batches of writers that died, and delete their leftovers."""
    old = abandoned_before()
    unfinished: dict[str, Any] = {"$or": [{"state": "committed"}, {"_id": {"$lt": old}}]}
    for found in store.batches.find(unfinished, {"_id": 1}):
        resolve(store, found["_id"], patience=0)
    for batch in store.jobs.distinct("batch", {"batch": {"$exists": True, "$lt": old}}):
        resolve(store, batch, patience=0)
