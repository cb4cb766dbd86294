"""Changing what fits a filter, newest first, some at a time."""

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
"""The most records that are changed at a time."""

T = TypeVar("T")


def kept(parts: Iterable[list[T]]) -> list[T]:
    """Put parts together; where the store fails after some, answer with these, which have happened."""
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
    """Yield the ids of the records that were changed, some at a time; none is looked at twice.

    That it fits the filter, too, validation the change of each.
    """
    fitting = queries.fitting(filter, guard)
    with store.jobs.find(queries.among(filter.ids, fitting), ID_ONLY).sort(NEWEST_FIRST) as found:
        ids = (document["_id"] for document in found)
        while limit and (some := list(islice(ids, min(limit, _PAGE)))):
            made = apply(store, call, [Change(id, fitting, update) for id in some])
            changed = [id for id, is_made in zip(some, made, strict=True) if is_made]
            yield changed
            limit -= len(changed)
