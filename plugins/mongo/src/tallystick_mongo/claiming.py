"""Claim due jobs: find the first ones, claim each if it is unchanged, and find more if other clients claimed some."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import compress
from uuid import UUID

from tallystick import Record, State
from tallystick.backends.calls import ClaimCall
from tallystick.backends.selection import claiming_order

from . import documents, queries, updates
from .bulk import collect
from .collections import Collections
from .damaged import discard, is_whole
from .documents import Document, order_found
from .error_fields import UNREAD
from .guarded_writes import Change, apply
from .queries import Query
from .schema import CLAIMS, DUE

_PAGE = 1_000
"""The maximum number of jobs in one find."""

_QUEUES = 50
"""The maximum number of queues in one find. For up to this many, the server merges index scans; for more, it sorts."""

_GUARDED = ("state", "attempt", "due", "updated_at", "queue", "priority", "changed_by")
"""The fields that a claim compares. A change within the same millisecond leaves `updated_at` as it is."""

_FRUITLESS = 20
"""Give up after this many finds in a row of which other clients claimed all jobs."""


def claim(store: Collections, call: ClaimCall, queues: Sequence[str]) -> list[Record]:
    """Claim up to `limit` due jobs of the queues, and return them in claiming order."""
    return sorted(collect(_claim_in_parts(store, call, queues)), key=claiming_order)


def _claim_in_parts(store: Collections, call: ClaimCall, queues: Sequence[str]) -> Iterator[list[Record]]:
    limit = call.limit
    mine: set[UUID] = set()
    again: list[object] = []  # damaged documents, and jobs that this call claimed and that are due again
    fruitless = 0
    while limit and fruitless < _FRUITLESS:
        wanted = min(limit, _PAGE)
        due = queries.but(again, queries.due(call.now))
        found = _first(store, due, queues, wanted)
        are_fresh = [is_whole(document) and document["_id"] not in mine for document in found]
        fresh = list(compress(found, are_fresh))
        if len(fresh) < len(found):
            discard(store.jobs, found, call.now)
            again += [document["_id"] for document, is_fresh in zip(found, are_fresh, strict=True) if not is_fresh]
        changes = [_take(document, call) for document in fresh]
        made = apply(store, "claim", changes)
        taken = [
            _claimed_record(one, change) for one, change, is_made in zip(fresh, changes, made, strict=True) if is_made
        ]
        yield taken
        mine |= {record.id for record in taken}
        limit -= len(taken)
        fruitless = 0 if taken or not fresh else fruitless + 1
        if len(taken) == len(found) < wanted:
            return


def _first(store: Collections, due: Query, queues: Sequence[str], limit: int) -> list[Document]:
    """Return the first due jobs in claiming order."""
    found = [
        document
        for some in chunks(queues)
        for document in store.jobs.find({**due, "queue": {"$in": list(some)}}, UNREAD)
        .sort(queries.CLAIMING_ORDER)
        .limit(limit)
        .hint(CLAIMS)
    ]
    return sorted(found, key=order_found)[:limit]


def next_due(store: Collections, queues: Sequence[str]) -> datetime | None:
    """Return when the first waiting job of the queues is due; None if no job waits."""
    moments = [
        document["due"]
        for some in chunks(queues)
        for document in store.jobs.find(queries.waits(some), {"due": 1}).sort("due").limit(1).hint(DUE)
    ]
    return min(moments, default=None)


def chunks(queues: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split queues into parts, one for each find."""
    for start in range(0, len(queues), _QUEUES):
        yield queues[start : start + _QUEUES]


def _take(document: Document, call: ClaimCall) -> Change:
    """Start an attempt if the job is unchanged since it was found, so that the returned record is the stored one."""
    guard = {name: document.get(name) for name in _GUARDED}
    frees_key = document["unique_until"] == "started"
    update = updates.claimed(document["attempt"] + 1, call.worker, call.until, call.now, frees_key=frees_key)
    return Change(document["_id"], guard, update)


def _claimed_record(document: Document, change: Change) -> Record:
    assert isinstance(change.update, dict)
    return documents.record({**document, **change.update["$set"], "state": State.RUNNING})
