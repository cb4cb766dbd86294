"""Name the clause under which a result is judged, given the model before the call."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from tallystick import Cancel, Claim, Complete, Discard, NewRecord, Outcome, Record, Release, Retry

from ...contract.eligibility import FINAL, has_passed, meets
from ...contract.model import Model

_BY_OUTCOME: dict[type[Outcome], str] = {
    Complete: "SETTLE-01",
    Retry: "SETTLE-02",
    Discard: "SETTLE-03",
    Release: "SETTLE-04",
    Cancel: "SETTLE-05",
}


def insert(model: Model, new: NewRecord, earlier: Collection[UUID], now: datetime) -> str:
    """Return the clause about whether this record is stored; `earlier` has the ids stored by the same batch."""
    holder = model.holder(new.unique_key, now)
    duplicate = model.records.get(new.id) or holder
    if duplicate is not None and duplicate.id in earlier:
        return "UNIQUE-02"
    if new.id in model.records:
        return "INSERT-04"
    if holder is not None:
        return _held(holder, new)
    return "UNIQUE-05" if new.unique_key is None else _free(model, new.unique_key, now)


def _held(holder: Record, new: NewRecord) -> str:
    if isinstance(holder.unique_until, timedelta):
        return "UNIQUE-07"
    if holder.state in FINAL:
        return "UNIQUE-04"
    return "UNIQUE-01" if (holder.queue, holder.kind) == (new.queue, new.kind) else "UNIQUE-05"


def _free(model: Model, key: str, now: datetime) -> str:
    """Return the clause about a free key, by the jobs that held it before."""
    earlier = [record for record in model.records.values() if record.unique_key == key]
    timed = [record for record in earlier if isinstance(record.unique_until, timedelta)]
    if timed:
        return "UNIQUE-07" if all(has_passed(record, now) for record in timed) else "UNIQUE-08"
    if any(record.unique_until == "started" and record.state not in FINAL for record in earlier):
        return "UNIQUE-06"
    return "UNIQUE-03" if earlier else "UNIQUE-01"


def conflict(model: Model, new: NewRecord, earlier: Collection[UUID], now: datetime) -> str:
    """Return the clause about the job that a record duplicates."""
    holder = model.holder(new.unique_key, now)
    if new.on_conflict == "skip":
        return "INSERT-03"
    if new.id in model.records or holder is None:
        return "CONFLICT-04"
    if holder.id in earlier:
        return "CONFLICT-05"
    if not meets(holder, new):
        return "CONFLICT-03"
    return "CONFLICT-01" if new.on_conflict == "replace" else "CONFLICT-02"


def extend(record: Record | None, now: datetime) -> str:
    """Return the clause for one claim; `record` is the record with this claim as its running attempt, or None."""
    if record is None or record.lease_until is None:
        return "LEASE-02"
    if record.cancel_requested:
        return "LEASE-03"
    return "LEASE-04" if record.lease_until <= now else "LEASE-01"


def settle(record: Record | None, outcome: Outcome, earlier: Collection[Claim]) -> str:
    """Return the clause for one outcome; the same batch has already ended the `earlier` claims."""
    if record is None:
        return "SETTLE-08" if outcome.claim in earlier else "SETTLE-06"
    if not record.cancel_requested:
        return _BY_OUTCOME[type(outcome)]
    return "SETTLE-09" if isinstance(outcome, Retry | Release) else "SETTLE-10"


def rescue(record: Record) -> str:
    """Return the clause for an expired record."""
    if record.cancel_requested:
        return "RESCUE-04"
    return "RESCUE-03" if record.attempt >= record.max_attempts else "RESCUE-02"


def names(records: Iterable[Record | UUID]) -> str:
    """List the ids of records."""
    return ", ".join(str(record.id if isinstance(record, Record) else record) for record in records) or "none"
