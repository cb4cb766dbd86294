"""Taking due jobs: find the first, take each as it was found, and find more where others were faster."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from tallystick import Record, State

from . import documents, queries
from .collections import Collections
from .damaged import discard, is_whole
from .documents import Document, order_found
from .guarded_writes import Change, apply
from .queries import Query
from .schema import CLAIMS, DUE

_PAGE = 1_000
"""The most jobs that are found at a time."""

_QUEUES = 50
"""The most queues of one find: the server merges as many searches in claiming order, and would sort for many more."""

_FRUITLESS = 20
"""How often in a row others may be faster at everything."""


def claim(
    store: Collections, queues: Sequence[str], *, limit: int, worker: str, until: datetime, now: datetime
) -> Iterator[list[Record]]:
    """Yield due jobs of some queues that were taken, up to `limit`, some at a time."""
    mine: set[UUID] = set()
    again: list[UUID] = []  # what was made due again meanwhile is not taken twice, and what is no record never
    fruitless = 0
    while limit and fruitless < _FRUITLESS:
        wanted = min(limit, _PAGE)
        due = queries.but(again, queries.due(now))
        found = _first(store, due, queues, wanted)
        fresh = [document for document in found if document["_id"] not in mine and is_whole(document)]
        if len(fresh) < len(found):
            discard(store.jobs, found, now)
        again += {document["_id"] for document in found} - {document["_id"] for document in fresh}
        changes = [_take(document, worker, until, now) for document in fresh]
        made = apply(store, "claim", changes)
        taken = [_begun(one, change) for one, change, is_made in zip(fresh, changes, made, strict=True) if is_made]
        yield taken
        mine |= {record.id for record in taken}
        limit -= len(taken)
        fruitless = 0 if taken or not fresh else fruitless + 1
        if len(taken) == len(found) < wanted:
            return


def _first(store: Collections, due: Query, queues: Sequence[str], limit: int) -> list[Document]:
    """Return the first due jobs, in claiming order."""
    found = [
        document
        for some in _chunks(queues)
        for document in store.jobs.find({**due, "queue": {"$in": list(some)}})
        .sort(queries.CLAIMING_ORDER)
        .limit(limit)
        .hint(CLAIMS)
    ]
    return sorted(found, key=order_found)[:limit]


def next_due(store: Collections, queues: Sequence[str]) -> datetime | None:
    """Return when the first job of some queues is due; None if none waits."""
    moments = [
        document["due"]
        for some in _chunks(queues)
        for document in store.jobs.find(queries.waits(some), {"due": 1}).sort("due").limit(1).hint(DUE)
    ]
    return min(moments, default=None)


def _chunks(queues: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(queues), _QUEUES):
        yield queues[start : start + _QUEUES]


def _take(document: Document, worker: str, until: datetime, now: datetime) -> Change:
    """Begin an attempt of a job, if it is still as it was found: so what is returned is what is stored."""
    guard = {name: document.get(name) for name in ("state", "attempt", "due", "updated_at")}
    return Change(document["_id"], guard, queries.claimed(document["attempt"] + 1, worker, until, now))


def _begun(document: Document, change: Change) -> Record:
    assert isinstance(change.update, dict)
    return documents.record({**document, **change.update["$set"], "state": State.RUNNING})
