"""The effect of each fact on one record: the state after it, or the rule that forbids it.

This is a third implementation of the contract, after the model and the backends. It shares only the value types and
the rules of eligibility.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, assert_never

from tallystick import (
    LEASE_EXPIRED,
    AttemptError,
    Cancel,
    Changes,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Hold,
    NewRecord,
    Outcome,
    Progress,
    ProgressReport,
    Record,
    Release,
    Retry,
    State,
)

from ..contract.eligibility import CLAIMABLE, FINAL, fits, is_changed, is_eligible, meets
from .moments import after, agree, is_late, known, resolved


class Refusal(NamedTuple):
    """The reason why a fact is impossible in a state."""

    rule: str
    why: str


Stored = Record | None
"""The stored record of an id, or None."""

Effect = Callable[[Stored, timedelta], "Stored | Refusal"]
"""Maps a record's state and the store's precision to the next state, or to a refusal."""

_NOTHING = Refusal("R11", "no such record was stored")


def inserted(new: NewRecord, now: datetime | None, answer: Record | None) -> Effect:
    """Return the effect of an insert."""
    at = known(now)
    record = Record(
        new.id, new.kind, new.queue, new.payload, new.priority, State.PENDING, 0, new.max_attempts,
        resolved(new.run_at, at), at, at, None, None, None, None, False, new.unique_key, new.unique_until,
        None, None, new.tags, new.meta,
    )  # fmt: skip

    def effect(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is not None:
            return Refusal("R11", f"it was already stored, and is {_describe(stored)}")
        return _as_answered(record, answer, precision)

    return effect


def met(new: NewRecord, now: datetime | None, answer: Record | None) -> Effect:
    """Return the effect of an insert on the job that holds its unique key."""
    at = known(now)
    run_at = resolved(new.run_at, at)

    def effect(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return _NOTHING
        if stored.unique_key != new.unique_key or not meets(stored, new):
            return Refusal("R7", f"it was changed by {new.on_conflict}, although the job was {_describe(stored)}")
        changed = stored._replace(payload=new.payload, tags=new.tags, meta=new.meta, updated_at=at)
        if new.on_conflict == "debounce":
            latest = run_at if new.debounce_max is None else stored.created_at + new.debounce_max
            changed = changed._replace(run_at=min(run_at, latest))
        return _as_answered(changed, answer, precision)

    return effect


def missing(stored: Stored, _precision: timedelta) -> Stored | Refusal:
    """Effect of a read that finds no record."""
    if stored is None:
        return None
    return Refusal("R11", f"it was not found, although it was {_describe(stored)} and no call removed it")


def seen(record: Record, *, with_details: bool = False) -> Effect:
    """Return the effect of a read that returns a record, and perhaps its errors and its progress."""

    def effect(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return _NOTHING
        answered = _as_answered(stored, record, precision, with_details=with_details)
        return answered if isinstance(answered, Refusal) else stored

    return effect


def claimed(worker: str, lease: timedelta, now: datetime | None, answer: Record | None) -> Effect:
    """Return the effect of a claim."""
    at = known(now)

    def effect(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return _NOTHING
        refusal = _unclaimable(stored, answer) or _early(stored, at, precision)
        if refusal is not None:
            return refusal
        running = stored._replace(
            state=State.RUNNING,
            attempt=stored.attempt + 1,
            lease_until=after(at, lease),
            worker=worker,
            attempted_at=at,
            updated_at=at,
            progress=None,
        )
        return _as_answered(running, answer, precision)

    return effect


def _unclaimable(stored: Record, answer: Record | None) -> Refusal | None:
    attempt = stored.attempt + 1 if answer is None else answer.attempt
    if attempt <= stored.attempt or (attempt > stored.attempt + 1 and stored.state in CLAIMABLE):
        return Refusal("R1", f"attempt {attempt} was claimed, although the job was already at attempt {stored.attempt}")
    if stored.state is State.RUNNING:
        return Refusal("R2", f"attempt {attempt} was claimed, although attempt {stored.attempt} had not ended")
    if stored.state in FINAL:
        return Refusal("R5", f"attempt {attempt} was claimed, although the job was {stored.state}")
    return None


def _early(stored: Record, now: datetime, precision: timedelta) -> Refusal | None:
    if is_late(stored.run_at, now, precision):
        return Refusal("R6", f"it was claimed at {now.isoformat()}, although it was due at {stored.run_at.isoformat()}")
    return None


def extended(claim: Claim, hold: Hold | None, lease: timedelta, now: datetime | None) -> Effect:
    """Return the effect of an extension; `hold` is None if the result was lost."""
    at = known(now)

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or (stored.state, stored.attempt) != (State.RUNNING, claim.attempt):
            return Refusal("R4", f"attempt {claim.attempt} was extended, although the job was {_describe(stored)}")
        flagged = Hold.CANCEL_REQUESTED if stored.cancel_requested else Hold.HELD
        if hold not in (None, flagged):
            return Refusal("R4", f"extending attempt {claim.attempt} returned {hold}, and should return {flagged}")
        return stored._replace(lease_until=after(at, lease), updated_at=at)

    return effect


def reported(report: ProgressReport, now: datetime | None) -> Effect:
    """Return the effect of a report of progress."""
    at = known(now)

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        attempt = report.claim.attempt
        if stored is None or (stored.state, stored.attempt) != (State.RUNNING, attempt):
            return Refusal("R4", f"attempt {attempt} reported progress, although the job was {_describe(stored)}")
        return stored._replace(progress=Progress(report.fraction, report.message, at), updated_at=at)

    return effect


def refused(claim: Claim) -> Effect:
    """Return the effect of a claim that a call rejected as stale."""

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or (stored.state, stored.attempt) != (State.RUNNING, claim.attempt):
            return stored
        return Refusal("R4", f"attempt {claim.attempt} was rejected as stale, although it was running")

    return effect


def settled(outcome: Outcome, now: datetime | None) -> Effect:
    """Return the effect of an applied outcome."""
    at, attempt = known(now), outcome.claim.attempt

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return Refusal("R4", f"attempt {attempt} was settled, although no such record was stored")
        if stored.attempt == attempt and stored.state is not State.RUNNING:
            return Refusal(
                "R3", f"attempt {attempt} was settled, although it had ended: the job was {_describe(stored)}"
            )
        if stored.attempt != attempt:
            return Refusal("R4", f"attempt {attempt} was settled, although the job was {_describe(stored)}")
        return _ended(stored, outcome, at)

    return effect


def _ended(running: Record, outcome: Outcome, at: datetime) -> Record:
    match outcome:
        case Complete():
            return _final(running, State.COMPLETED, at, result=outcome.result)
        case Discard():
            return _final(_failed(running, outcome.error, at), State.DISCARDED, at)
        case Cancel():
            return _final(running, State.CANCELLED, at)
        case Retry():
            return _again(_failed(running, outcome.error, at), State.RETRYING, outcome.run_at, at)
        case Release():
            return _again(running._replace(max_attempts=running.max_attempts + 1), State.PENDING, outcome.run_at, at)
        case _:
            assert_never(outcome)


def rescued(now: datetime | None, answer: Record | None) -> Effect:
    """Return the effect of a rescue."""
    at = known(now)

    def effect(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return _NOTHING
        if stored.state is not State.RUNNING or (answer is not None and answer.attempt != stored.attempt):
            attempt = stored.attempt if answer is None else answer.attempt
            return Refusal("R3", f"attempt {attempt} was rescued, although the job was {_describe(stored)}")
        assert stored.lease_until is not None
        if is_late(stored.lease_until, at, precision):
            return Refusal(
                "R14", f"it was rescued at {at.isoformat()}, although its lease ended at {stored.lease_until}"
            )
        failed = _failed(stored, LEASE_EXPIRED, at)
        if stored.attempt >= stored.max_attempts and not stored.cancel_requested:
            return _as_answered(_final(failed, State.DISCARDED, at), answer, precision)
        return _as_answered(_again(failed, State.RETRYING, at, at), answer, precision)

    return effect


def cancelled(filter: Filter, now: datetime | None) -> Effect:
    """Return the effect of a cancel."""
    at = known(now)

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or not fits(filter, stored):
            return _unfit(stored, "cancelled")
        if not is_eligible("cancel", stored):
            return Refusal("R5", f"it was reported as cancelled, although the job was {_describe(stored)}")
        if stored.state is State.RUNNING:
            return stored._replace(cancel_requested=True, updated_at=at)
        return _final(stored, State.CANCELLED, at)

    return effect


def requeued(filter: Filter, now: datetime | None) -> Effect:
    """Return the effect of a requeue."""
    at = known(now)

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or not fits(filter, stored):
            return _unfit(stored, "requeued")
        if not is_eligible("requeue", stored):
            return Refusal("R2", f"it was requeued, although the job was {_describe(stored)}")
        return stored._replace(
            state=State.PENDING,
            run_at=at,
            max_attempts=max(stored.max_attempts, stored.attempt + 1),
            finished_at=None,
            result=None,
            cancel_requested=False,
            updated_at=at,
        )

    return effect


def updated(filter: Filter, changes: Changes, now: datetime | None) -> Effect:
    """Return the effect of an update."""
    at = known(now)
    given = {"run_at": changes.run_at, "priority": changes.priority, "queue": changes.queue}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or not fits(filter, stored):
            return _unfit(stored, "updated")
        if not is_eligible("update", stored):
            return Refusal("R2", f"it was updated, although the job was {_describe(stored)}")
        if not is_changed(stored, changes):
            return Refusal("R7", "it was reported as updated, although it already had the values")
        return stored._replace(updated_at=at, **fields)

    return effect


def deleted(filter: Filter) -> Effect:
    """Return the effect of a delete."""

    def effect(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or not fits(filter, stored):
            return _unfit(stored, "deleted")
        if not is_eligible("delete", stored):
            return Refusal("R11", f"it was deleted, although the job was {_describe(stored)}")
        return None

    return effect


def purged(states: frozenset[State], before: datetime) -> Effect:
    """Return the effect of a purge."""

    def effect(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None or stored.state not in states or stored.finished_at is None:
            return _unfit(stored, "purged")
        if is_late(stored.finished_at, before, precision):
            return Refusal("R11", f"it was purged, although it finished at {stored.finished_at.isoformat()}")
        return None

    return effect


def _failed(record: Record, error: Failure, at: datetime) -> Record:
    """Return the record with an error. The kit's histories have short errors, of which a record keeps all."""
    return record._replace(last_error=error, errors=(*record.errors, AttemptError(record.attempt, at, error)))


def _final(record: Record, state: State, at: datetime, **fields: Any) -> Record:
    return record._replace(state=state, finished_at=at, lease_until=None, updated_at=at, **fields)


def _again(record: Record, state: State, run_at: datetime | timedelta | None, at: datetime) -> Record:
    if record.cancel_requested:
        return _final(record, State.CANCELLED, at)
    return record._replace(state=state, run_at=resolved(run_at, at), lease_until=None, updated_at=at)


def _as_answered(
    stored: Record, answer: Record | None, precision: timedelta, *, with_details: bool = False
) -> Record | Refusal:
    """Return the returned record, with its exact moments, if it agrees with the stored one; else a refusal."""
    if answer is None or answer == stored:
        return stored
    if not with_details and not answer.errors and answer.progress is None:
        answer = answer._replace(errors=stored.errors, progress=stored.progress)
    fields = zip(Record._fields, stored, answer, strict=True)
    wrong = [(name, value, other) for name, value, other in fields if not agree(value, other, precision)]
    if not wrong:
        return answer
    name, expected, returned = wrong[0]
    return Refusal("R12", f"it was returned with {name} {_short(returned)}, although it was {_short(expected)}")


def _unfit(stored: Stored, what: str) -> Refusal:
    if stored is None:
        return _NOTHING
    return Refusal("R7", f"it was {what} by a call with other arguments: the job was {_describe(stored)}")


def _describe(stored: Stored) -> str:
    if stored is None:
        return "not stored"
    flag = ", cancel requested" if stored.cancel_requested else ""
    return f"{stored.state} (attempt {stored.attempt}{flag})"


def _short(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
