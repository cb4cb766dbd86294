"""Convert outcomes to the parameters of `settle.sql`."""

from datetime import datetime
from typing import assert_never

from tallystick import Cancel, Complete, Discard, Failure, Outcome, Release, Retry, State, validation

from .rows import Parameters, micros

_Ended = tuple[State, datetime | None, Failure | None, bytes | None]


def parameters(outcome: Outcome, now: datetime, max_bytes: int) -> Parameters:
    """Return the parameters for an outcome; raise if its values are invalid."""
    state, run_at, error, result = _ended(outcome, now)
    validation.size(result, max_bytes, "result")
    return {
        "id": outcome.claim.id.bytes,
        "attempt": outcome.claim.attempt,
        "state": state.value,
        "run_at": run_at and micros(run_at),
        "error": error and error.to_json(),
        "result": result,
        "now": micros(now),
    }


def _ended(outcome: Outcome, now: datetime) -> _Ended:
    match outcome:
        case Complete(result=result):
            return State.COMPLETED, None, None, result
        case Retry(run_at=run_at, error=error):
            return State.RETRYING, validation.moment(run_at, now), error, None
        case Discard(error=error):
            return State.DISCARDED, None, error, None
        case Release(run_at=run_at):
            return State.PENDING, validation.moment(run_at, now), None, None
        case Cancel():
            return State.CANCELLED, None, None, None
        case _:
            assert_never(outcome)
