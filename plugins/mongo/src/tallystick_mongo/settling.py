"""Settle a batch of outcomes with guarded updates."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from tallystick import Cancel, Claim, Complete, Discard, Outcome, Release, Retry, State, validation

from . import queries
from .collections import Collections
from .documents import rounded_up
from .guarded_writes import Change, apply
from .queries import Pipeline


def check(outcomes: Sequence[Outcome], now: datetime, max_bytes: int) -> None:
    """Reject outcomes that cannot be stored."""
    for outcome in outcomes:
        match outcome:
            case Complete(result=result):
                validation.size(result, max_bytes, "result")
            case Retry(run_at=run_at) | Release(run_at=run_at):
                rounded_up(validation.moment(run_at, now))
            case Discard() | Cancel():
                pass
            case _:
                assert_never(outcome)


def settle(store: Collections, outcomes: Sequence[Outcome], now: datetime) -> list[bool]:
    """Record outcomes, and return in their order whether each was applied. The first outcome of a claim wins."""
    first = {outcome.claim: outcome for outcome in reversed(outcomes)}
    changes = [Change(claim.id, queries.current(claim.attempt), _end(outcome, now)) for claim, outcome in first.items()]
    applied = {claim for claim, made in zip(first, apply(store, "settle", changes), strict=True) if made}
    return [_take_first(applied, outcome.claim) for outcome in outcomes]


def _take_first(claims: set[Claim], claim: Claim) -> bool:
    if claim not in claims:
        return False
    claims.remove(claim)
    return True


def _end(outcome: Outcome, now: datetime) -> Pipeline:
    match outcome:
        case Complete(result=result):
            return queries.ended(State.COMPLETED, now, result=result)
        case Retry(run_at=run_at, error=error):
            return queries.put_off(State.RETRYING, _due(run_at, now), now, last_error=error.to_json())
        case Discard(error=error):
            return queries.ended(State.DISCARDED, now, last_error=error.to_json())
        case Release(run_at=run_at):
            return queries.put_off(State.PENDING, _due(run_at, now), now, given_back=1)
        case Cancel():
            return queries.ended(State.CANCELLED, now)
        case _:
            assert_never(outcome)


def _due(run_at: datetime | timedelta | None, now: datetime) -> datetime:
    return rounded_up(validation.moment(run_at, now))
