"""Extend the leases of claims."""

from tallystick import Claim, Hold
from tallystick.backends.calls import ExtendCall
from tallystick.backends.transitions import hold

from . import queries, updates
from .collections import Collections
from .guarded_writes import Change, apply


def extend(store: Collections, call: ExtendCall) -> list[Hold]:
    """Extend leases, and return the hold of each claim in order.

    The update itself records whether a cancellation was requested. The job may change again before the read after it.
    """
    distinct = list(dict.fromkeys(call.claims))
    update = updates.extended(call.until, call.now)
    changes = [Change(claim.id, queries.current(claim.attempt), update) for claim in distinct]
    held = {claim for claim, made in zip(distinct, apply(store, "extend", changes), strict=True) if made}
    to_stop = _to_stop(store, held) if held else set()
    return [hold(claim in to_stop if claim in held else None) for claim in call.claims]


def _to_stop(store: Collections, held: set[Claim]) -> set[Claim]:
    flagged = queries.among([claim.id for claim in held], {"told_to_stop": True})
    return {Claim(document["_id"], document["attempt"]) for document in store.jobs.find(flagged, {"attempt": 1})}
