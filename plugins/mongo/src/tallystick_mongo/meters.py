"""Add up what workers did, by minute, queue and kind.

A call adds its numbers to the rows of one document, so they are added all or none. Each client has a document of its
own for ten minutes of its calls. A reader adds up the rows of all documents.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from math import isfinite
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError, WriteError
from tallystick import Meter, MeterDelta
from tallystick.backends import registers
from tallystick.backends.register_calls import MeterCall, MetersCall
from tallystick.backends.registers import Numbers
from tallystick.backends.times import MICROSECOND, micros

from . import register_queries
from .collections import Collections
from .documents import Document

_PERIOD = timedelta(minutes=10)
"""How long the calls of a client use one document."""

_MANY = 1_000
"""The number of rows from which a call gets a document of its own, because an update names the path of each number."""

_COUNTERS = Numbers._fields
_SUMS = ("waiting", "running")
_LARGEST = 2**63 - 1


def add(store: Collections, call: MeterCall, now: datetime, client: ObjectId) -> None:
    """Add the numbers of a call, and remove minutes that are too old."""
    if call.deltas:
        _add(store, call.deltas, now, client)
    store.meters.delete_many(register_queries.older(call.oldest))
    store.meters.update_many(register_queries.partly_older(call.oldest), register_queries.without_older(call.oldest))


def _add(store: Collections, deltas: Sequence[MeterDelta], now: datetime, client: ObjectId) -> None:
    rows = _rows(deltas)
    minutes = [delta.minute for delta in deltas]
    first, last = min(minutes), max(minutes)
    if len(rows) < _MANY:
        shared = {"_id": f"{micros(now) * MICROSECOND // _PERIOD} {client}"}
        update = register_queries.added(rows, first, last)
        for _ in range(2):
            try:
                store.meters.update_one(shared, update, upsert=True)
            except DuplicateKeyError:  # another thread of this client has just inserted it
                continue
            except WriteError:  # it is full or damaged
                break
            return
    store.meters.insert_one({"rows": rows, "first": first, "last": last})


def _rows(deltas: Sequence[MeterDelta]) -> dict[str, dict[str, Any]]:
    """Return one row for each minute, queue and kind, without zeros. Its key is a hash, because names may have dots."""
    added: dict[tuple[datetime, str, str], Numbers] = {}
    for delta in deltas:
        key, more = (delta.minute, delta.queue, delta.kind), Numbers.of(delta)
        added[key] = added[key].plus(more) if key in added else more
    return {_hashed(*key): _row(*key, numbers) for key, numbers in added.items()}


def _hashed(minute: datetime, queue: str, kind: str) -> str:
    return sha256(repr((micros(minute), queue, kind)).encode()).hexdigest()[:32]


def _row(minute: datetime, queue: str, kind: str, numbers: Numbers) -> dict[str, Any]:
    values = numbers._asdict()
    values |= {name: values[name] // MICROSECOND for name in _SUMS}
    used = {name: value for name, value in values.items() if value}
    return {"minute": minute, "queue": queue, "kind": kind, **used}


def by_steps(store: Collections, call: MetersCall) -> Sequence[Meter]:
    """Return the numbers of a range of time, added up by steps."""
    groups = store.meters.aggregate(register_queries.sums(call.since, call.until, _COUNTERS))
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
