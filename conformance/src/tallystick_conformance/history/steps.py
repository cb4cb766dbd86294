"""What each fact does to one record: the state after it, or the rule that forbids it there.

This is the contract a third time, beside the model and the backends, and shares nothing with them but the values.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tallystick import (
    CLAIMABLE,
    FINAL,
    LEASE_EXPIRED,
    Cancel,
    Claim,
    Complete,
    Discard,
    Filter,
    Hold,
    NewRecord,
    Outcome,
    Record,
    Release,
    Retry,
    State,
)

from .moments import after, agree, is_late, known, resolved


class Refusal(NamedTuple):
    """Why a fact cannot be, in a state."""

    rule: str
    why: str


Stored = Record | None
"""What the store has of one id."""

Step = Callable[[Stored, timedelta], "Stored | Refusal"]
"""A fact about one record: given its state and the store's precision, the state afterwards, or why not."""

_NOTHING = Refusal("R11", "no such record was stored")


def inserted(new: NewRecord, now: datetime | None, answer: Record | None) -> Step:
    """A record is stored."""
    at = known(now)
    record = Record(
        new.id, new.kind, new.queue, new.payload, new.priority, State.PENDING, 0, new.max_attempts,
        resolved(new.run_at, at), at, at, None, None, None, None, False, new.unique_key, new.unique_until,
        None, None, new.tags,
    )  # fmt: skip

    def step(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is not None:
            return Refusal("R11", f"it was stored already, and is {_told(stored)}")
        return _as_answered(record, answer, precision)

    return step


def missing(stored: Stored, _precision: timedelta) -> Stored | Refusal:
    """No record is found."""
    if stored is None:
        return None
    return Refusal("R11", f"it was not there, although it is {_told(stored)} and nothing removed it")


def seen(record: Record) -> Step:
    """A record is read."""

    def step(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return _NOTHING
        answered = _as_answered(stored, record, precision)
        return answered if isinstance(answered, Refusal) else stored

    return step


def claimed(worker: str, lease: timedelta, now: datetime | None, answer: Record | None) -> Step:
    """An attempt begins."""
    at = known(now)

    def step(stored: Stored, precision: timedelta) -> Stored | Refusal:
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
        )
        return _as_answered(running, answer, precision)

    return step


def _unclaimable(stored: Record, answer: Record | None) -> Refusal | None:
    attempt = stored.attempt + 1 if answer is None else answer.attempt
    if attempt <= stored.attempt or (attempt > stored.attempt + 1 and stored.state in CLAIMABLE):
        return Refusal("R1", f"attempt {attempt} was handed out, although it had come to attempt {stored.attempt}")
    if stored.state is State.RUNNING:
        return Refusal("R2", f"attempt {attempt} was handed out, although attempt {stored.attempt} had not ended")
    if stored.state in FINAL:
        return Refusal("R5", f"attempt {attempt} was handed out, although it was {stored.state}")
    return None


def _early(stored: Record, now: datetime, precision: timedelta) -> Refusal | None:
    if is_late(stored.run_at, now, precision):
        return Refusal("R6", f"it was handed out at {now.isoformat()}, although due at {stored.run_at.isoformat()}")
    return None


def extended(claim: Claim, hold: Hold | None, lease: timedelta, now: datetime | None) -> Step:
    """A lease is held on; `hold` None is an answer that was lost."""
    at = known(now)

    def step(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or (stored.state, stored.attempt) != (State.RUNNING, claim.attempt):
            return Refusal("R4", f"attempt {claim.attempt} was held on, although the job was {_told(stored)}")
        flagged = Hold.CANCEL_REQUESTED if stored.cancel_requested else Hold.HELD
        if hold not in (None, flagged):
            return Refusal("R4", f"the owner of attempt {claim.attempt} was told {hold}, and should be told {flagged}")
        return stored._replace(lease_until=after(at, lease), updated_at=at)

    return step


def refused(claim: Claim) -> Step:
    """A claim is answered as stale: it is not the running attempt's."""

    def step(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or (stored.state, stored.attempt) != (State.RUNNING, claim.attempt):
            return stored
        return Refusal("R4", f"attempt {claim.attempt} was refused as stale, although it was running")

    return step


def settled(outcome: Outcome, now: datetime | None) -> Step:
    """An attempt ends as its worker said."""
    at, attempt = known(now), outcome.claim.attempt

    def step(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return Refusal("R4", f"attempt {attempt} was settled, although no such record was stored")
        if stored.attempt == attempt and stored.state is not State.RUNNING:
            return Refusal("R3", f"attempt {attempt} was settled, although it had ended: the job was {_told(stored)}")
        if stored.attempt != attempt:
            return Refusal("R4", f"attempt {attempt} was settled, although the job was {_told(stored)}")
        return _ended(stored, outcome, at)

    return step


def _ended(running: Record, outcome: Outcome, at: datetime) -> Record:
    match outcome:
        case Complete():
            return _final(running, State.COMPLETED, at, result=outcome.result)
        case Discard():
            return _final(running, State.DISCARDED, at, last_error=outcome.error)
        case Cancel():
            return _final(running, State.CANCELLED, at)
        case Retry():
            return _again(running._replace(last_error=outcome.error), State.RETRYING, outcome.run_at, at)
        case Release():
            return _again(running._replace(max_attempts=running.max_attempts + 1), State.PENDING, outcome.run_at, at)


def rescued(now: datetime | None, answer: Record | None) -> Step:
    """An attempt ends since its lease ran out."""
    at = known(now)

    def step(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None:
            return _NOTHING
        if stored.state is not State.RUNNING or (answer is not None and answer.attempt != stored.attempt):
            attempt = stored.attempt if answer is None else answer.attempt
            return Refusal("R3", f"attempt {attempt} was rescued, although the job was {_told(stored)}")
        assert stored.lease_until is not None
        if is_late(stored.lease_until, at, precision):
            return Refusal("R14", f"it was rescued at {at.isoformat()}, although held until {stored.lease_until}")
        failed = stored._replace(last_error=LEASE_EXPIRED)
        if stored.attempt >= stored.max_attempts and not stored.cancel_requested:
            return _as_answered(_final(failed, State.DISCARDED, at), answer, precision)
        return _as_answered(_again(failed, State.RETRYING, at, at), answer, precision)

    return step


def cancelled(filter: Filter, now: datetime | None) -> Step:
    """A job that waits ends, or one that runs is flagged."""
    at = known(now)

    def step(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or not filter.fits(stored):
            return _unfit(stored, "cancelled")
        if stored.state in FINAL or stored.cancel_requested:
            return Refusal("R5", f"it was answered as cancelled, although the job was {_told(stored)}")
        if stored.state is State.RUNNING:
            return stored._replace(cancel_requested=True, updated_at=at)
        return _final(stored, State.CANCELLED, at)

    return step


def requeued(filter: Filter, now: datetime | None) -> Step:
    """An operator makes a job pending again."""
    at = known(now)

    def step(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or not filter.fits(stored):
            return _unfit(stored, "requeued")
        if stored.state in (State.PENDING, State.RUNNING):
            return Refusal("R2", f"it was requeued, although the job was {_told(stored)}")
        return stored._replace(
            state=State.PENDING,
            run_at=at,
            max_attempts=max(stored.max_attempts, stored.attempt + 1),
            finished_at=None,
            result=None,
            cancel_requested=False,
            updated_at=at,
        )

    return step


def deleted(filter: Filter) -> Step:
    """A record is removed."""

    def step(stored: Stored, _precision: timedelta) -> Stored | Refusal:
        if stored is None or not filter.fits(stored):
            return _unfit(stored, "deleted")
        if stored.state is State.RUNNING:
            return Refusal("R11", f"it was deleted, although the job was {_told(stored)}")
        return None

    return step


def purged(states: frozenset[State], before: datetime) -> Step:
    """The record of a job that finished is removed."""

    def step(stored: Stored, precision: timedelta) -> Stored | Refusal:
        if stored is None or stored.state not in states or stored.finished_at is None:
            return _unfit(stored, "purged")
        if is_late(stored.finished_at, before, precision):
            return Refusal("R11", f"it was purged, although it finished at {stored.finished_at.isoformat()}")
        return None

    return step


def _final(record: Record, state: State, at: datetime, **fields: Any) -> Record:
    return record._replace(state=state, finished_at=at, lease_until=None, updated_at=at, **fields)


def _again(record: Record, state: State, run_at: datetime | timedelta | None, at: datetime) -> Record:
    if record.cancel_requested:
        return _final(record, State.CANCELLED, at)
    return record._replace(state=state, run_at=resolved(run_at, at), lease_until=None, updated_at=at)


def _as_answered(stored: Record, answer: Record | None, precision: timedelta) -> Record | Refusal:
    """Take the answer, which knows each moment exactly, for what is stored, where the two agree."""
    if answer is None or answer == stored:
        return stored
    fields = zip(Record._fields, stored, answer, strict=True)
    wrong = [(name, of, told) for name, of, told in fields if not agree(of, told, precision)]
    if not wrong:
        return answer
    name, of, told = wrong[0]
    return Refusal("R12", f"it was answered with {name} {_short(told)}, although it was {_short(of)}")


def _unfit(stored: Stored, what: str) -> Refusal:
    if stored is None:
        return _NOTHING
    return Refusal("R7", f"it was {what} by a call that did not ask for it: it was {_told(stored)}")


def _told(stored: Stored) -> str:
    if stored is None:
        return "not there"
    flag = ", to be cancelled" if stored.cancel_requested else ""
    return f"{stored.state} (attempt {stored.attempt}{flag})"


def _short(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
