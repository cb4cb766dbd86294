"""Map each outcome to the statement and parameters that record it."""

from datetime import datetime
from typing import assert_never

from tallystick import Cancel, Complete, Discard, Outcome, Release, Retry, validation

from . import queries
from .rows import Parameters, micros


def settlement(outcome: Outcome, now: datetime, max_bytes: int) -> tuple[str, Parameters]:
    """Return the statement and parameters that record an outcome; raise if its values are invalid."""
    claim = outcome.claim
    parameters: Parameters = {"id": claim.id.bytes, "attempt": claim.attempt, "now": micros(now)}
    match outcome:
        case Complete(result=result):
            validation.size(result, max_bytes, "result")
            return queries.SETTLE_COMPLETE, parameters | {"result": result}
        case Retry(run_at=run_at, error=error):
            due = micros(validation.moment(run_at, now))
            return queries.SETTLE_RETRY, parameters | {"run_at": due, "error": error.to_json()}
        case Discard(error=error):
            return queries.SETTLE_DISCARD, parameters | {"error": error.to_json()}
        case Release(run_at=run_at):
            return queries.SETTLE_RELEASE, parameters | {"run_at": micros(validation.moment(run_at, now))}
        case Cancel():
            return queries.SETTLE_CANCEL, parameters
        case _:
            assert_never(outcome)
