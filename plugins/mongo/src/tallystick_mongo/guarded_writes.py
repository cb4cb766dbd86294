"""Change several records in one bulk write, each with its own guard, and find out which ones changed.

The server reports how many updates of a bulk took effect, but not which. So each update leaves a unique mark in its
document (`calls`). If fewer updates took effect than were sent, a read finds the documents with their marks. The read
is needed even if the count is zero: the driver repeats a bulk when the reply is lost, and not every server recognizes
the repeat.

Only a call of the same kind overwrites a mark. If that happens to a record before the read, the read finds fewer marks
than the server counted, and the outcome is unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, ServerSelectionTimeoutError
from tallystick import OutcomeUnknown

from .collections import Collections
from .errors import rejected
from .queries import Pipeline, Query

SLICE = 1_000
"""The maximum number of documents in one write command."""

T = TypeVar("T")


class Change(NamedTuple):
    """An update of one record, applied only if the guard matches."""

    id: UUID
    guard: Mapping[str, Any]
    update: Query | Pipeline


def apply(store: Collections, call: str, changes: Sequence[Change]) -> list[bool]:
    """Apply changes independently, and return in their order whether each took effect.

    A change that a unique index rejects does not take effect.

    Raises:
        OutcomeUnknown: Some changes may have taken effect, and the marks do not show which.
    """
    return [made for some in sliced(changes) for made in _apply(store, call, some, alone=len(changes) == 1)]


def sliced(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split items into slices for one command each, so that no command occupies the server for long."""
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
        raise OutcomeUnknown(f"{call}: {len(found)} of {len(changes)} records changed, and others may have; repeat it")
    return [value in found for value in marks]


def _marks_left(store: Collections, ids: Sequence[UUID], call: str, marks: Sequence[ObjectId]) -> set[ObjectId]:
    mark = f"calls.{call}"
    try:
        with store.jobs.find({"_id": {"$in": ids}, mark: {"$in": marks}}, {mark: 1}, session=store.session) as found:
            return {document["calls"][call] for document in found}
    except AutoReconnect as exc:
        raise OutcomeUnknown(f"{call}: the connection was lost, and records may have changed: {exc}") from exc


def _marked(update: Query | Pipeline, mark: str, value: ObjectId) -> Query | Pipeline:
    if isinstance(update, list):
        return [*update, {"$set": {mark: value}}]
    return {**update, "$set": {**update["$set"], mark: value}}


def _write(store: Collections, updates: Sequence[UpdateOne], *, alone: bool) -> int | None:
    """Write updates, and return how many took effect; None if the reply was lost."""
    try:
        return store.jobs.bulk_write(updates, ordered=False, session=store.session).modified_count
    except BulkWriteError as exc:
        rejected(exc)
        return int(exc.details["nModified"])
    except AutoReconnect as exc:
        if store.session is not None or (alone and isinstance(exc, ServerSelectionTimeoutError)):
            raise  # nothing was written, or the transaction rolls it back
        return None
