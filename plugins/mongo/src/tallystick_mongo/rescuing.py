"""End attempts with an expired lease."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick import LEASE_EXPIRED, Record, State

from . import documents, queries
from .bulk import collect
from .collections import Collections
from .damaged import discard, is_whole
from .documents import Document
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
        found = list(store.jobs.find(queries.but(others, queries.expired(now))).sort("lease_until").limit(wanted))
        fresh = [document for document in found if is_whole(document) and document["_id"] not in mine]
        if len(fresh) < len(found):
            discard(store.jobs, found, now)
        ends = [_end(document, now) for document in fresh]
        changes = [Change(one["_id"], _as_found(one), end) for one, end in zip(fresh, ends, strict=True)]
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


def _end(document: Document, now: datetime) -> queries.Query:
    fields: dict[str, Any] = {"last_error": LEASE_EXPIRED.to_json(), "updated_at": now}
    gone = ["lease_until"]
    if document["cancel_requested"] or document["attempt"] >= document["max_attempts"]:
        state = State.CANCELLED if document["cancel_requested"] else State.DISCARDED
        fields |= {"state": state.value, "finished_at": now}
        if document["unique_until"] == "finished":
            gone.append("held_key")
    else:
        fields |= {"state": State.RETRYING.value, "run_at": now, "due": now}
    return {"$set": fields, "$unset": dict.fromkeys(gone, "")}


def _rescued_record(document: Document, end: queries.Query) -> Record:
    rest = {name: value for name, value in document.items() if name not in end["$unset"]}
    return documents.record({**rest, **end["$set"]})
