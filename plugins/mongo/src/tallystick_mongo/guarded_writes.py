"""Changing several records in one command, each guarded on its own, and learning which were changed.

The server tells how many of a bulk's updates took effect, not which. So each update leaves a mark of its own in the
document (`calls`), and where they are not all, those that have theirs are looked for: also where there are none, since
a driver repeats a bulk whose answer was lost, and not every server knows it again. A mark is overwritten by
a call of the same sort only, so it would take another of those on the same record, in the time of that look, for one to
be missed; then the numbers differ, and the outcome is unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, ServerSelectionTimeoutError
from tallystick import OutcomeUnknown

from .collections import Collections
from .errors import refused
from .queries import Pipeline, Query

SLICE = 1_000
"""The most documents of one command that writes."""

T = TypeVar("T")


class Change(NamedTuple):
    """An update of one record, where the guard holds."""

    id: UUID
    guard: Mapping[str, Any]
    update: Query | Pipeline


def apply(store: Collections, call: str, changes: Sequence[Change]) -> list[bool]:
    """Make changes; say for each, in the order given, whether it was made.

    One that a unique index refuses is not made.

    Raises:
        OutcomeUnknown: some were made, and it cannot be told which.
    """
    return [made for some in sliced(changes) for made in _apply(store, call, some, alone=len(changes) == 1)]


def sliced(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield as many items at a time as one command takes, so that none keeps a server busy for long."""
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]


def _apply(store: Collections, call: str, changes: Sequence[Change], *, alone: bool) -> list[bool]:
    marks = [ObjectId() for _ in changes]
    updates = [
        UpdateOne({"_id": change.id, **change.guard}, _marked(change.update, f"calls.{call}", mark))
        for change, mark in zip(changes, marks, strict=True)
    ]
    made = _write(store, updates, alone=alone)
    if made == len(changes):
        return [True] * len(changes)
    found = _marks_left(store, [change.id for change in changes], call, marks)
    if len(found) < (len(changes) if made is None else made):
        raise OutcomeUnknown(f"{call}: {len(found)} of {len(changes)} records were changed, and others may have been")
    return [value in found for value in marks]


def _marks_left(store: Collections, ids: Sequence[UUID], call: str, marks: Sequence[ObjectId]) -> set[ObjectId]:
    mark = f"calls.{call}"
    try:
        with store.jobs.find({"_id": {"$in": ids}, mark: {"$in": marks}}, {mark: 1}, session=store.session) as found:
            return {document["calls"][call] for document in found}
    except AutoReconnect as exc:
        raise OutcomeUnknown(f"{call}: the connection was lost, and records may have been changed: {exc}") from exc


def _marked(update: Query | Pipeline, mark: str, value: ObjectId) -> Query | Pipeline:
    if isinstance(update, list):
        return [*update, {"$set": {mark: value}}]
    return {**update, "$set": {**update["$set"], mark: value}}


def _write(store: Collections, updates: Sequence[UpdateOne], *, alone: bool) -> int | None:
    """Make updates; return how many took effect, None where the answer was lost."""
    try:
        return store.jobs.bulk_write(updates, ordered=False, session=store.session).modified_count
    except BulkWriteError as exc:
        refused(exc)
        return int(exc.details["nModified"])
    except AutoReconnect as exc:
        if store.session is not None or (alone and isinstance(exc, ServerSelectionTimeoutError)):
            raise  # nothing was done, or the transaction undoes it
        return None
