"""End attempts with an expired lease."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick import LEASE_EXPIRED, AttemptError, Record, State

from . import documents, queries, updates
from .bulk import collect
from .collections import Collections
from .damaged import discard, is_whole
from .documents import Document
from .error_fields import UNREAD, described
from .guarded_writes import Change, apply

_PAGE = 1_000


def rescue(store: Collections, *, limit: int, now: datetime) -> list[Record]:
    """End attempts with an expired lease, and return their records."""
    return collect(_rescue_in_parts(store, limit=limit, now=now))


def _rescue_in_parts(store: Collections, *, limit: int, now: datetime) -> Iterator[list[Record]]:
    mine: set[UUID] = set()
    others: list[object] = []  # jobs that other clients changed, damaged ones, and rescued ones that expired again
    while limit:
        wanted = min(limit, _PAGE)
        expired = queries.but(others, queries.expired(now))
        found = list(store.jobs.find(expired, UNREAD).sort("lease_until").limit(wanted))
        fresh = [document for document in found if is_whole(document) and document["_id"] not in mine]
        if len(fresh) < len(found):
            discard(store.jobs, found, now)
        ends = [_end(document, now) for document in fresh]
        changes = [_change(one, end, now) for one, end in zip(fresh, ends, strict=True)]
        made = apply(store, "rescue", changes)
        rescued = [_rescued_record(one, end) for one, end, is_made in zip(fresh, ends, made, strict=True) if is_made]
        yield rescued
        done = {record.id for record in rescued}
        others += [id for id in (document["_id"] for document in found) if not isinstance(id, UUID) or id not in done]
        mine |= done
        limit -= len(rescued)
        if len(found) < wanted:
            return


def _as_found(document: Document) -> dict[str, Any]:
    return {name: document.get(name) for name in ("state", "attempt", "lease_until", "cancel_requested")}


def _change(document: Document, end: dict[str, Any], now: datetime) -> Change:
    entry = AttemptError.of(document["attempt"], now, LEASE_EXPIRED)
    return Change(document["_id"], _as_found(document), updates.rescued(end, entry))


def _end(document: Document, now: datetime) -> dict[str, Any]:
    """Return the fields that a rescue changes. A value of None removes a field."""
    fields: dict[str, Any] = {**described(LEASE_EXPIRED), "updated_at": now, "lease_until": None}
    if document["cancel_requested"] or document["attempt"] >= document["max_attempts"]:
        state = State.CANCELLED if document["cancel_requested"] else State.DISCARDED
        fields |= {"state": state.value, "finished_at": now}
        if document["unique_until"] in ("started", "finished"):
            fields["held_key"] = None
    else:
        fields |= {"state": State.RETRYING.value, "run_at": now, "due": now}
    return fields


def _rescued_record(document: Document, end: dict[str, Any]) -> Record:
    return documents.record({**document, **end})
