"""Convert a batch of outcomes to the parameters of `settle.sql`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

from tallystick import Cancel, Complete, Discard, Failure, Outcome, Release, Retry, State, validation

from . import rows


def columns(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the parameters: one list of values for each column."""
    ended = [_ended(outcome) for outcome in outcomes]
    return {
        "ids": [outcome.claim.id for outcome in outcomes],
        "attempts": [outcome.claim.attempt for outcome in outcomes],
        "states": [state for state, _, _, _ in ended],
        "run_ats": rows.array([at if isinstance(at, datetime) else None for _, at, _, _ in ended]),
        "delays": rows.array([at if isinstance(at, timedelta) else None for _, at, _, _ in ended]),
        "errors": rows.array([error and error.to_json() for _, _, error, _ in ended]),
        "results": rows.array([result for _, _, _, result in ended]),
    }


def check(outcomes: Sequence[Outcome], now: datetime, max_bytes: int) -> None:
    """Reject outcomes that the store cannot record."""
    for outcome in outcomes:
        match outcome:
            case Complete(result=result):
                validation.size(result, max_bytes, "result")
            case Retry(run_at=run_at) | Release(run_at=run_at):
                validation.moment(run_at, now)


def _ended(outcome: Outcome) -> tuple[str, datetime | timedelta | None, Failure | None, bytes | None]:
    match outcome:
        case Complete(result=result):
            return State.COMPLETED, None, None, result
        case Retry(run_at=run_at, error=error):
            return State.RETRYING, _moment(run_at), error, None
        case Discard(error=error):
            return State.DISCARDED, None, error, None
        case Release(run_at=run_at):
            return State.PENDING, _moment(run_at), None, None
        case Cancel():
            return State.CANCELLED, None, None, None
        case _:
            assert_never(outcome)


def _moment(value: datetime | timedelta | None) -> datetime | timedelta | None:
    return validation.utc(value, "run_at") if isinstance(value, datetime) else value
