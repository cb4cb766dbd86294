"""Unique keys: which job holds one, for how long, and the effect of an insert on the job that holds it.

A store keeps with each record whether the job holds its key:

- An insert first frees the keys in its batch whose holder `has_passed`. A job that it adds holds its key.
- A requeue sets it to `takes`. If that is true, it first frees the key of another job that `has_passed`. If another
  job still holds the key, it skips the record.
- Every other change frees the key if the record no longer `holds`, and never takes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, assert_never
from uuid import UUID

from ..records import Inserted, NewRecord, Record, UniqueUntil
from ..state import CLAIMABLE, FINAL
from .calls import InsertCall

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


class Decision(NamedTuple):
    """The effects of an insert: a result for each job, the records to add, and the stored records to change."""

    results: Sequence[Inserted]
    added: Sequence[Record]
    changed: Sequence[Record]


def decide(call: InsertCall, stored: Iterable[Record], holders: Mapping[str, UUID]) -> Decision:
    """Return the effects of an insert, for a store that has locked every record that the insert may meet.

    Args:
        call: The insert, at the time of the server's clock.
        stored: The stored records that have one of its ids, or hold one of its keys.
        holders: The ids of those records that hold their key, by key. A record whose time has passed is none.
    """
    known, keys = {record.id: record for record in stored}, dict(holders)
    results: list[Inserted] = []
    added: set[UUID] = set()
    changed: set[UUID] = set()
    for new, record in zip(call.records, call.stored(), strict=True):
        if new.id in known:
            results.append(Inserted(known[new.id], created=False))
            continue
        if new.unique_key is None or new.unique_key not in keys:
            result = Inserted(record, created=True)
            added.add(record.id)
        else:
            result = met(known[keys[new.unique_key]], new, record.run_at, call.now)
            changed |= {result.record.id} if result.applied else set()
        results.append(result)
        known[result.record.id] = result.record
        if new.unique_key is not None:
            keys[new.unique_key] = result.record.id
    return Decision(results, [known[id] for id in added], [known[id] for id in changed - added])
