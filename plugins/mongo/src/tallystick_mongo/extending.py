"""Extend the leases of claims."""

from collections.abc import Sequence
from datetime import datetime

from tallystick import Claim, Hold

from . import queries
from .collections import Collections
from .guarded_writes import Change, apply


def extend(store: Collections, claims: Sequence[Claim], until: datetime, now: datetime) -> list[Hold]:
    """Extend leases, and return the hold of each claim in order.

    The update itself records whether a cancellation was requested. The job may change again before the read after it.
    """
    distinct = list(dict.fromkeys(claims))
    update = queries.extended(until, now)
    changes = [Change(claim.id, queries.current(claim.attempt), update) for claim in distinct]
    held = {claim for claim, made in zip(distinct, apply(store, "extend", changes), strict=True) if made}
    to_stop = _to_stop(store, held) if held else set()
    return [_hold(claim, held, to_stop) for claim in claims]


def _to_stop(store: Collections, held: set[Claim]) -> set[Claim]:
    flagged = queries.among([claim.id for claim in held], {"told_to_stop": True})
    return {Claim(document["_id"], document["attempt"]) for document in store.jobs.find(flagged, {"attempt": 1})}


def _hold(claim: Claim, held: set[Claim], to_stop: set[Claim]) -> Hold:
    if claim not in held:
        return Hold.LOST
    return Hold.CANCEL_REQUESTED if claim in to_stop else Hold.HELD
