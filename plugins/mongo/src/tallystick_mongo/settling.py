"""Settle a batch of outcomes with guarded updates."""

from typing import assert_never

from tallystick import AttemptError, Cancel, Claim, Complete, Discard, Outcome, Release, Retry, State
from tallystick.backends.calls import SettleCall

from . import queries, updates
from .collections import Collections
from .error_fields import described
from .guarded_writes import Change, apply
from .queries import Pipeline


def settle(store: Collections, call: SettleCall) -> list[bool]:
    """Record outcomes, and return in their order whether each was applied. The first outcome of a claim wins."""
    first = {outcome.claim: outcome for outcome in reversed(call.outcomes)}
    changes = [
        Change(claim.id, queries.current(claim.attempt), _end(outcome, call)) for claim, outcome in first.items()
    ]
    applied = {claim for claim, made in zip(first, apply(store, "settle", changes), strict=True) if made}
    return [_take_first(applied, outcome.claim) for outcome in call.outcomes]


def _take_first(claims: set[Claim], claim: Claim) -> bool:
    if claim not in claims:
        return False
    claims.remove(claim)
    return True


def _end(outcome: Outcome, call: SettleCall) -> Pipeline:
    now, attempt = call.now, outcome.claim.attempt
    match outcome:
        case Complete(result=result):
            return updates.ended(State.COMPLETED, now, result=result)
        case Retry(error=error):
            entry = AttemptError.of(attempt, now, error)
            return updates.put_off(State.RETRYING, call.due(outcome), now, entry=entry, **described(error))
        case Discard(error=error):
            entry = AttemptError.of(attempt, now, error)
            return updates.ended(State.DISCARDED, now, entry=entry, **described(error))
        case Release():
            return updates.put_off(State.PENDING, call.due(outcome), now, given_back=1)
        case Cancel():
            return updates.ended(State.CANCELLED, now)
        case _:
            assert_never(outcome)
