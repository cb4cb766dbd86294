"""Settle a batch of outcomes: convert it to the parameters of `settle.sql`, and execute that."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

from tallystick import AttemptError, Cancel, Complete, Discard, Failure, Outcome, Release, Retry, State, validation
from tallystick.backends.calls import SettleCall

from . import rows
from .execute import Execute
from .keys import in_locking_order, key
from .queries import Queries

_Ended = tuple[State, datetime | timedelta | None, Failure | None, bytes | None]


def settle(execute: Execute, queries: Queries, call: SettleCall) -> Sequence[bool]:
    """End attempts in the transaction of `execute`; return for each whether its claim was current."""
    keys = [key(outcome.claim) for outcome in call.outcomes]
    first = {key: n for n, key in reversed([*enumerate(keys)])}
    outcomes = [call.outcomes[n] for n in in_locking_order(first)]
    found = execute(queries.settle, {**columns(outcomes), "now": call.given})
    applied = {(id.int, attempt) for id, attempt in found}
    return [key in applied and first[key] == n for n, key in enumerate(keys)]


def columns(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the parameters of `settle.sql`: one list of values for each column."""
    ended = [_ended(outcome) for outcome in outcomes]
    return {
        "ids": [outcome.claim.id for outcome in outcomes],
        "attempts": [outcome.claim.attempt for outcome in outcomes],
        "states": [state for state, _, _, _ in ended],
        "run_ats": rows.array([at if isinstance(at, datetime) else None for _, at, _, _ in ended]),
        "delays": rows.array([at if isinstance(at, timedelta) else None for _, at, _, _ in ended]),
        "errors": rows.array([error and error.to_json() for _, _, error, _ in ended]),
        "error_types": rows.array([error and rows.error_type(error) for _, _, error, _ in ended]),
        "entries": rows.array(
            [
                error and AttemptError.json_without_time(outcome.claim.attempt, error)
                for outcome, (_, _, error, _) in zip(outcomes, ended, strict=True)
            ]
        ),
        "results": rows.array([result for _, _, _, result in ended]),
    }


def _ended(outcome: Outcome) -> _Ended:
    """Return the state, the due time or delay, the error and the result of an outcome."""
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
