"""Removing records."""

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
    """Yield the ids of records that were removed, some at a time.

    A command that deletes tells how many, and not which; so they are hidden first, one by one, and that is their end.
    """
    batch = ObjectId()
    for hidden in change(store, "delete", filter, {"state": queries.DELETABLE}, queries.hidden(batch), limit=limit):
        with suppress(PyMongoError):  # a rescue removes what is left
            store.jobs.delete_many(queries.among(hidden, queries.staged(batch)))
        yield hidden


def purge(store: Collections, finished: Query, *, limit: int) -> Iterator[list[None]]:
    """Yield as many items as records were removed, some at a time."""
    while limit:
        found = [document["_id"] for document in store.jobs.find(finished, ID_ONLY).limit(min(limit, _PAGE))]
        if not found:
            return
        removed = store.jobs.delete_many(queries.among(found, finished)).deleted_count
        yield [None] * removed
        limit -= removed
