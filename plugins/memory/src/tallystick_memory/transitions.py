"""The transitions between states, as pure functions from a record to the changed record."""

from datetime import datetime
from typing import assert_never

from tallystick import (
    CLAIMABLE,
    LEASE_EXPIRED,
    Cancel,
    Complete,
    Discard,
    Outcome,
    Record,
    Release,
    Retry,
    State,
    validation,
)


def claimed(record: Record, worker: str, until: datetime, now: datetime) -> Record:
    """Begin an attempt."""
    return record._replace(
        state=State.RUNNING,
        attempt=record.attempt + 1,
        lease_until=until,
        worker=worker,
        attempted_at=now,
        updated_at=now,
    )


def settled(record: Record, outcome: Outcome, now: datetime) -> Record:
    """End an attempt with the outcome that its worker reports."""
    match outcome:
        case Complete(result=result):
            return _finished(record, State.COMPLETED, now)._replace(result=result)
        case Retry(run_at=run_at, error=error):
            return _again(record._replace(last_error=error), State.RETRYING, validation.moment(run_at, now), now)
        case Discard(error=error):
            return _finished(record._replace(last_error=error), State.DISCARDED, now)
        case Release(run_at=run_at):
            released = record._replace(max_attempts=record.max_attempts + 1)
            return _again(released, State.PENDING, validation.moment(run_at, now), now)
        case Cancel():
            return _finished(record, State.CANCELLED, now)
        case _:
            assert_never(outcome)


def rescued(record: Record, now: datetime) -> Record:
    """End an attempt after its lease expired."""
    failed = record._replace(last_error=LEASE_EXPIRED)
    if record.attempt >= record.max_attempts and not record.cancel_requested:
        return _finished(failed, State.DISCARDED, now)
    return _again(failed, State.RETRYING, now, now)


def cancelled(record: Record, now: datetime) -> Record | None:
    """Cancel a waiting job, or request cancellation of a running one; return None if nothing changes."""
    if record.state in CLAIMABLE:
        return _finished(record, State.CANCELLED, now)
    if record.state is State.RUNNING and not record.cancel_requested:
        return record._replace(cancel_requested=True, updated_at=now)
    return None


def requeued(record: Record, now: datetime) -> Record | None:
    """Make a job pending again; return None if it is pending or running."""
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


def _again(record: Record, state: State, run_at: datetime, now: datetime) -> Record:
    if record.cancel_requested:
        return _finished(record, State.CANCELLED, now)
    return record._replace(state=state, run_at=run_at, lease_until=None, updated_at=now)


def _finished(record: Record, state: State, now: datetime) -> Record:
    return record._replace(state=state, finished_at=now, lease_until=None, updated_at=now)
