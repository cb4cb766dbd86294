"""Change the records that satisfy a filter, page by page, newest first."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar
from uuid import UUID

from pymongo.errors import PyMongoError
from tallystick import BackendError, Filter

from . import queries
from .collections import Collections
from .guarded_writes import Change, apply
from .queries import ID_ONLY, NEWEST_FIRST, Pipeline, Query

_PAGE = 1_000
"""The maximum number of records in one bulk write."""

T = TypeVar("T")


def collect(parts: Iterable[list[T]]) -> list[T]:
    """Concatenate parts. If the store fails after the first ones, return these, because their changes are stored."""
    whole: list[T] = []
    try:
        for part in parts:
            whole += part
    except (PyMongoError, BackendError):
        if not whole:
            raise
    return whole


def change(
    store: Collections, call: str, filter: Filter, guard: Query, update: Query | Pipeline, *, limit: int
) -> Iterator[list[UUID]]:
    """Change up to `limit` records, each at most once, and yield their ids in parts.

    The filter is part of each update's guard, so a record that no longer satisfies it does not change.
    """
    fitting = queries.fitting(filter, guard)
    with store.jobs.find(queries.among(filter.ids, fitting), ID_ONLY).sort(NEWEST_FIRST) as found:
        ids = (document["_id"] for document in found)
        while limit and (some := list(islice(ids, min(limit, _PAGE)))):
            made = apply(store, call, [Change(id, fitting, update) for id in some])
            changed = [id for id, is_made in zip(some, made, strict=True) if is_made]
            yield changed
            limit -= len(changed)
