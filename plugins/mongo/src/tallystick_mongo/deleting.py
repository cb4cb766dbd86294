"""Delete and purge records."""

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from bson import ObjectId
from pymongo.errors import PyMongoError
from tallystick import Filter

from . import queries
from .bulk import change
from .collections import Collections
from .queries import ID_ONLY, Query

_PAGE = 1_000


def delete(store: Collections, filter: Filter, *, limit: int) -> Iterator[list[UUID]]:
    """Delete the jobs that satisfy a filter, and yield their ids in parts.

    MongoDB's delete command returns a count, not the ids. So this call first hides each job, which deletes it for all
    readers, and then deletes the hidden documents.
    """
    batch = ObjectId()
    for hidden in change(store, "delete", filter, {"state": queries.DELETABLE}, queries.hidden(batch), limit=limit):
        with suppress(PyMongoError):  # a rescue deletes the leftovers
            store.jobs.delete_many(queries.among(hidden, queries.staged(batch)))
        yield hidden


def purge(store: Collections, finished: Query, *, limit: int) -> Iterator[list[None]]:
    """Delete finished jobs, and yield a list in parts with one item for each deleted job."""
    while limit:
        found = [document["_id"] for document in store.jobs.find(finished, ID_ONLY).limit(min(limit, _PAGE))]
        if not found:
            return
        removed = store.jobs.delete_many(queries.among(found, finished)).deleted_count
        yield [None] * removed
        limit -= removed
