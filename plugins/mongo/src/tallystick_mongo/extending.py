"""Holding claims for longer."""

from collections.abc import Sequence
from datetime import datetime

from tallystick import Claim, Hold

from . import queries
from .collections import Collections
from .guarded_writes import Change, apply


def extend(store: Collections, claims: Sequence[Claim], until: datetime, now: datetime) -> list[Hold]:
    """Hold claims, and look whose owners are to stop; answer in order.

    Both are decided by the change, not by the look: meanwhile an attempt may have ended, or been cancelled.
    """
    distinct = list(dict.fromkeys(claims))
    update = queries.extended(until, now)
    changes = [Change(claim.id, queries.current(claim.attempt), update) for claim in distinct]
    held = {claim for claim, made in zip(distinct, apply(store, "extend", changes), strict=True) if made}
    to_stop = _to_stop(store, held) if held else set()
    return [_answer(claim, held, to_stop) for claim in claims]


def _to_stop(store: Collections, held: set[Claim]) -> set[Claim]:
    flagged = queries.among([claim.id for claim in held], {"told_to_stop": True})
    return {Claim(document["_id"], document["attempt"]) for document in store.jobs.find(flagged, {"attempt": 1})}


def _answer(claim: Claim, held: set[Claim], to_stop: set[Claim]) -> Hold:
    if claim not in held:
        return Hold.LOST
    return Hold.CANCEL_REQUESTED if claim in to_stop else Hold.HELD
