"""Holding claims for longer."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pymongo import UpdateMany
from windlass import Claim, Hold, State

from . import queries
from .collections import Collections


def extend(store: Collections, claims: Sequence[Claim], until: datetime, now: datetime) -> list[Hold]:
    """Hold claims in one command, and see in another which are held; answer in order."""
    if not claims:
        return []
    ids: defaultdict[int, list[UUID]] = defaultdict(list)
    for claim in claims:
        ids[claim.attempt].append(claim.id)
    update = queries.extended(until, now)
    store.jobs.bulk_write(
        [UpdateMany({"_id": {"$in": some}, **queries.current(attempt)}, update) for attempt, some in ids.items()],
        ordered=False,
    )
    running = queries.among([claim.id for claim in claims], {"state": State.RUNNING})
    flagged = {
        Claim(document["_id"], document["attempt"]): document["cancel_requested"]
        for document in store.jobs.find(running, {"attempt": 1, "cancel_requested": 1})
    }
    return [_hold(flagged.get(claim)) for claim in claims]


def _hold(cancel_requested: bool | None) -> Hold:
    if cancel_requested is None:
        return Hold.LOST
    return Hold.CANCEL_REQUESTED if cancel_requested else Hold.HELD
