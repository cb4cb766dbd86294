"""Change the records that satisfy a filter, page by page, newest first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, islice
from typing import TypeVar
from uuid import UUID

from pymongo.errors import PyMongoError
from tallystick import BackendError
from tallystick.backends.calls import ChangeCall, UpdateCall

from . import queries
from .collections import Collections
from .guarded_writes import Change, apply
from .queries import ID_ONLY, NEWEST_FIRST, Pipeline, Query
from .schema import hint

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
    store: Collections, name: str, call: ChangeCall | UpdateCall, guard: Query, update: Query | Pipeline
) -> list[UUID]:
    """Change up to `limit` records that satisfy the guard, each at most once, and return their ids."""
    return collect(change_in_parts(store, name, call, guard, update))


def change_in_parts(
    store: Collections,
    name: str,
    call: ChangeCall | UpdateCall,
    guard: Query,
    update: Query | Pipeline,
    *,
    free: Callable[[Sequence[UUID]], bool] = lambda ids: False,
) -> Iterator[list[UUID]]:
    """Change records as `change` does, and yield their ids in parts.

    The filter is part of each update's guard, so a record that no longer satisfies it does not change. `free` is called
    with the records that did not change. If it returns True, they are tried again.
    """
    limit = call.limit
    fitting = queries.fitting(call.filter, guard)
    query = queries.among(call.filter.ids, fitting)
    with store.jobs.find(query, ID_ONLY, **hint(call.filter)).sort(NEWEST_FIRST) as found:
        ids = (document["_id"] for document in found)
        while limit and (some := list(islice(ids, min(limit, _PAGE)))):
            changed = _changed(store, name, some, fitting, update)
            yield changed
            limit -= len(changed)
            rest = sorted(set(some).difference(changed), reverse=True)
            if rest and free(rest):
                changed = _changed(store, name, rest, fitting, update)
                yield changed
                limit -= len(changed)


def _changed(store: Collections, name: str, ids: Sequence[UUID], guard: Query, update: Query | Pipeline) -> list[UUID]:
    return list(compress(ids, apply(store, name, [Change(id, guard, update) for id in ids])))
