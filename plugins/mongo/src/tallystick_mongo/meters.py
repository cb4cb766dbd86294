"""Add up what workers did, by minute, queue and kind.

A call appends its numbers as rows to one document, so they are added all or none. Each client has a document of its own
for ten minutes of its calls. A reader adds up the rows.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError
from tallystick import Meter, MeterDelta
from tallystick.backends import registers
from tallystick.backends.register_calls import MeterCall, MetersCall
from tallystick.backends.registers import Numbers
from tallystick.backends.times import MICROSECOND, micros

from . import queries
from .collections import Collections
from .documents import Document

_PERIOD = timedelta(minutes=10)
"""How long the calls of a client use one document."""

_MANY = 1_000
"""The number of rows from which a call gets a document of its own, so that no document exceeds 16 MB."""

_COUNTERS = Numbers._fields
_SUMS = ("waiting", "running")
_LARGEST = 2**63 - 1


def add(store: Collections, call: MeterCall, now: datetime, client: ObjectId) -> None:
    """Add the numbers of a call, and remove minutes that are too old."""
    if call.deltas:
        _append(store, call.deltas, now, client)
    store.meters.delete_many(queries.older(call.oldest))
    store.meters.update_many(queries.partly_older(call.oldest), queries.without_older(call.oldest))


def _append(store: Collections, deltas: Sequence[MeterDelta], now: datetime, client: ObjectId) -> None:
    period = f"{micros(now) * MICROSECOND // _PERIOD} {client}"
    bucket = {"_id": period if len(deltas) < _MANY else str(ObjectId())}
    minutes = [delta.minute for delta in deltas]
    update = queries.added(list(map(_row, deltas)), min(minutes), max(minutes))
    try:
        store.meters.update_one(bucket, update, upsert=True)
    except DuplicateKeyError:  # another thread of this client has just inserted it
        store.meters.update_one(bucket, update)


def _row(delta: MeterDelta) -> dict[str, Any]:
    """Return the numbers of a delta that are not zero."""
    numbers = Numbers.of(delta)._asdict()
    numbers |= {name: numbers[name] // MICROSECOND for name in _SUMS}
    used = {name: number for name, number in numbers.items() if number}
    return {"minute": delta.minute, "queue": delta.queue, "kind": delta.kind, **used}


def by_steps(store: Collections, call: MetersCall) -> Sequence[Meter]:
    """Return the numbers of a range of time, added up by steps."""
    groups = store.meters.aggregate(queries.sums(call.since, call.until, _COUNTERS))
    return registers.by_steps(_numbers(groups), call)


def _numbers(groups: Iterable[Document]) -> Iterable[tuple[datetime, str, str, Numbers]]:
    for group in groups:
        minute, queue, kind = (group["_id"][name] for name in ("minute", "queue", "kind"))
        if isinstance(minute, datetime):
            yield minute, queue, kind, Numbers._make(_sum(name, group[name]) for name in _COUNTERS)


def _sum(name: str, number: float) -> int | timedelta:
    """Return a sum. A damaged row can make it infinite, or no number."""
    whole = int(max(-_LARGEST, min(number, _LARGEST))) if isfinite(number) else 0
    return whole * MICROSECOND if name in _SUMS else whole
