"""Delete and purge records."""

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from bson import ObjectId
from pymongo.errors import PyMongoError
from tallystick.backends.calls import ChangeCall

from . import queries, updates
from .bulk import change_in_parts, collect
from .collections import Collections
from .queries import ID_ONLY, Query

_PAGE = 1_000


def delete(store: Collections, call: ChangeCall) -> list[UUID]:
    """Delete the jobs that satisfy a filter, and return their ids.

    MongoDB's delete command returns a count, not the ids. So this call first hides each job, which deletes it for all
    readers, and then deletes the hidden documents.
    """
    return collect(_delete_in_parts(store, call))


def _delete_in_parts(store: Collections, call: ChangeCall) -> Iterator[list[UUID]]:
    batch = ObjectId()
    for hidden in change_in_parts(store, "delete", call, {"state": queries.DELETABLE}, updates.hidden(batch)):
        with suppress(PyMongoError):  # a rescue deletes the leftovers
            store.jobs.delete_many(queries.among(hidden, queries.staged(batch)))
        yield hidden


def purge(store: Collections, finished: Query, *, limit: int) -> int:
    """Delete finished jobs, and return how many."""
    return sum(collect(_purge_in_parts(store, finished, limit=limit)))


def _purge_in_parts(store: Collections, finished: Query, *, limit: int) -> Iterator[list[int]]:
    while limit:
        found = [document["_id"] for document in store.jobs.find(finished, ID_ONLY).limit(min(limit, _PAGE))]
        if not found:
            return
        removed = store.jobs.delete_many(queries.among(found, finished)).deleted_count
        yield [removed]
        limit -= removed
