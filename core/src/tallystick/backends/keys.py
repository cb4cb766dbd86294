"""Unique keys: which job holds one, for how long, and the effect of an insert on the job that holds it.

A store keeps with each record whether the job holds its key:

- An insert first frees the keys in its batch whose holder `has_passed`. A job that it adds holds its key.
- A requeue sets it to `takes`. If that is true, it first frees the key of another job that `has_passed`. If another
  job still holds the key, it skips the record.
- Every other change frees the key if the record no longer `holds`, and never takes it.
"""

from datetime import UTC, datetime, timedelta
from typing import assert_never

from ..contract.records import Inserted, NewRecord, Record, UniqueUntil
from ..contract.state import CLAIMABLE, FINAL

_LAST = datetime.max.replace(tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def holds(record: Record) -> bool:
    """Return whether a job in this state keeps its unique key, until a time that may have passed."""
    if record.unique_key is None:
        return False
    match record.unique_until:
        case "started":
            return record.attempt == 0 and record.state not in FINAL
        case "finished":
            return record.state not in FINAL
        case "purged":
            return True
        case timedelta():
            return True
        case _:
            assert_never(record.unique_until)


def takes(record: Record, now: datetime) -> bool:
    """Return whether a job that was set pending by `requeue` takes its unique key."""
    return holds(record) and not has_passed(record, now)


def has_passed(record: Record, now: datetime) -> bool:
    """Return whether the job holds its key for a time, and this time has passed."""
    until = held_until(record)
    return until is not None and until <= now


def held_until(record: Record) -> datetime | None:
    """Return when the job stops to hold its key, or None if that is not a time. At most the end of the year 9999."""
    return _later(record.created_at, record.unique_until) if isinstance(record.unique_until, timedelta) else None


def _later(moment: datetime, duration: timedelta) -> datetime:
    return _LAST if duration > _LAST - moment else moment + duration


def to_text(until: UniqueUntil) -> str:
    """Return `unique_until` as text: a word, or a number of seconds."""
    return str(until // _SECOND) if isinstance(until, timedelta) else until


def from_text(text: str) -> UniqueUntil:
    """Return `unique_until` from its text. Damaged text means `purged`, which holds the key the longest."""
    match text:
        case "started" | "finished" | "purged":
            return text
        case _:
            return timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 10 else "purged"


def met(holder: Record, new: NewRecord, run_at: datetime, now: datetime) -> Inserted:
    """Return the result of an insert whose unique key another job holds. `run_at` is that of the new job.

    If `applied` is set, store the changed payload, tags, meta, run_at and updated_at of its record.
    """
    if new.on_conflict == "skip" or holder.state not in CLAIMABLE or holder.kind != new.kind:
        return Inserted(holder, created=False)
    if new.on_conflict == "debounce":
        latest = run_at if new.debounce_max is None else _later(holder.created_at, new.debounce_max)
        holder = holder._replace(run_at=min(run_at, latest))
    changed = holder._replace(payload=new.payload, tags=new.tags, meta=new.meta, updated_at=now)
    return Inserted(changed, created=False, applied=new.on_conflict)
