"""The transitions of a job as pure functions from a record to the changed record: the rows of the table of states.

A store calls them inside its atomic step. The caller checks the condition of the row, such as "due" or "lease expired".
"""

from datetime import datetime
from typing import assert_never

from ..contract import validation
from ..contract.attempt_errors import AttemptError
from ..contract.changes import Changes
from ..contract.failure import LEASE_EXPIRED, Failure
from ..contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..contract.progress import Progress
from ..contract.records import Hold, Record
from ..contract.state import CLAIMABLE, State

_STATE = Record._fields.index("state")
_ATTEMPT = Record._fields.index("attempt")
_UPDATED_AT = Record._fields.index("updated_at")
_ATTEMPTED_AT = Record._fields.index("attempted_at")
_FINISHED_AT = Record._fields.index("finished_at")
_LEASE_UNTIL = Record._fields.index("lease_until")
_WORKER = Record._fields.index("worker")
_RESULT = Record._fields.index("result")
_PROGRESS = Record._fields.index("progress")


def claimed(record: Record, worker: str, until: datetime, now: datetime) -> Record:
    """Start an attempt of a waiting job."""
    values: list[object] = [*record]  # `_replace` takes three times as long, and each job is claimed and ended
    values[_STATE] = State.RUNNING
    values[_ATTEMPT] = record.attempt + 1
    values[_LEASE_UNTIL] = until
    values[_WORKER] = worker
    values[_ATTEMPTED_AT] = values[_UPDATED_AT] = now
    values[_PROGRESS] = None
    return Record._make(values)


def is_current(record: Record, attempt: int) -> bool:
    """Return whether an attempt is the current one of a running job. The claim of any other is stale."""
    return record.state is State.RUNNING and record.attempt == attempt


def extended(record: Record, until: datetime, now: datetime) -> Record:
    """Extend the lease of a running job."""
    return record._replace(lease_until=until, updated_at=now)


def hold(cancel_requested: bool | None) -> Hold:
    """Return the result of an extension: None means that the claim was stale."""
    if cancel_requested is None:
        return Hold.LOST
    return Hold.CANCEL_REQUESTED if cancel_requested else Hold.HELD


def reported(record: Record, progress: Progress, now: datetime) -> Record:
    """Set the progress of a running job."""
    return record._replace(progress=progress, updated_at=now)


def settled(record: Record, outcome: Outcome, now: datetime) -> Record:
    """End the attempt of a running job with the outcome that its worker reports."""
    match outcome:
        case Complete(result=result):
            return _ended(record, State.COMPLETED, now, result)
        case Retry(run_at=run_at, error=error):
            return _again(_failed(record, error, now), State.RETRYING, validation.moment(run_at, now), now)
        case Discard(error=error):
            return _ended(_failed(record, error, now), State.DISCARDED, now, record.result)
        case Release(run_at=run_at):
            released = record._replace(max_attempts=record.max_attempts + 1)
            return _again(released, State.PENDING, validation.moment(run_at, now), now)
        case Cancel():
            return _ended(record, State.CANCELLED, now, record.result)
        case _:
            assert_never(outcome)


def rescued(record: Record, now: datetime) -> Record:
    """End the attempt of a running job whose lease has expired."""
    failed = _failed(record, LEASE_EXPIRED, now)
    if record.attempt >= record.max_attempts and not record.cancel_requested:
        return _ended(failed, State.DISCARDED, now, record.result)
    return _again(failed, State.RETRYING, now, now)


def _failed(record: Record, error: Failure, now: datetime) -> Record:
    errors = AttemptError.of(record.attempt, now, error).appended_to(record.errors)
    return record._replace(last_error=error, errors=errors)


def cancelled(record: Record, now: datetime) -> Record | None:
    """Cancel a waiting job, or request that a running job stops. Return None if the job stays unchanged."""
    if record.state in CLAIMABLE:
        return _ended(record, State.CANCELLED, now, record.result)
    if record.state is State.RUNNING and not record.cancel_requested:
        return record._replace(cancel_requested=True, updated_at=now)
    return None


def requeued(record: Record, now: datetime) -> Record | None:
    """Set a retrying or final job pending. Return None if the job stays unchanged."""
    if record.state in (State.PENDING, State.RUNNING):
        return None
    return record._replace(
        state=State.PENDING,
        run_at=now,
        max_attempts=max(record.max_attempts, record.attempt + 1),
        finished_at=None,
        result=None,
        cancel_requested=False,
        updated_at=now,
    )


def updated(record: Record, changes: Changes, now: datetime) -> Record | None:
    """Change a waiting job. Return None if the job stays unchanged."""
    if record.state not in CLAIMABLE:
        return None
    changed = changes.of(record, now)
    return None if changed is record else changed


def without_details(record: Record) -> Record:
    """Return a record as every call but `get` returns it: without its errors and its progress."""
    return record._replace(errors=(), progress=None) if record.errors or record.progress else record


def _again(record: Record, state: State, run_at: datetime, now: datetime) -> Record:
    if record.cancel_requested:
        return _ended(record, State.CANCELLED, now, record.result)
    return record._replace(state=state, run_at=run_at, lease_until=None, updated_at=now)


def _ended(record: Record, state: State, now: datetime, result: bytes | None) -> Record:
    values: list[object] = [*record]
    values[_STATE] = state
    values[_FINISHED_AT] = values[_UPDATED_AT] = now
    values[_LEASE_UNTIL] = None
    values[_RESULT] = result
    return Record._make(values)
