"""Settle outcomes: convert each to the parameters of `settle.sql`, and execute it."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from tallystick import AttemptError, Cancel, Complete, Discard, Failure, Outcome, Release, Retry, State
from tallystick.backends.calls import SettleCall
from tallystick.backends.times import micros

from .queries import Queries
from .rows import Parameters, error_columns

_Ended = tuple[State, datetime | None, Failure | None, bytes | None]


def settle(cursor: sqlite3.Cursor, queries: Queries, ended: Sequence[Parameters]) -> Sequence[bool]:
    """End attempts in the transaction of a cursor; return for each whether its claim was current."""
    return [cursor.execute(queries.settle, parameters).rowcount == 1 for parameters in ended]


def parameters(call: SettleCall) -> Sequence[Parameters]:
    """Return the parameters of `settle.sql` for each outcome."""
    return [_parameters(outcome, _ended(call, outcome), call.now) for outcome in call.outcomes]


def _parameters(outcome: Outcome, ended: _Ended, now: datetime) -> Parameters:
    state, run_at, error, result = ended
    return {
        "id": outcome.claim.id.bytes,
        "attempt": outcome.claim.attempt,
        "state": state.value,
        "run_at": run_at and micros(run_at),
        "result": result,
        "now": micros(now),
        **(_NO_ERROR if error is None else _failed(outcome.claim.attempt, now, error)),
    }


_NO_ERROR: Parameters = dict.fromkeys(("error", "error_type", "entry"))


def _failed(attempt: int, now: datetime, error: Failure) -> Parameters:
    return {**error_columns(error), "entry": AttemptError.of(attempt, now, error).to_json()}


def _ended(call: SettleCall, outcome: Outcome) -> _Ended:
    """Return the state, the due time, the error and the result of an outcome."""
    match outcome:
        case Complete(result=result):
            return State.COMPLETED, None, None, result
        case Retry(error=error):
            return State.RETRYING, call.due(outcome), error, None
        case Discard(error=error):
            return State.DISCARDED, None, error, None
        case Release():
            return State.PENDING, call.due(outcome), None, None
        case Cancel():
            return State.CANCELLED, None, None, None
        case _:
            assert_never(outcome)
