"""Under which clause an answer is judged, given what the model knows before the call."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from tallystick import FINAL, Cancel, Claim, Complete, Discard, NewRecord, Outcome, Record, Release, Retry

from ..model import Model

_BY_OUTCOME: dict[type[Outcome], str] = {
    Complete: "SETTLE-01",
    Retry: "SETTLE-02",
    Discard: "SETTLE-03",
    Release: "SETTLE-04",
    Cancel: "SETTLE-05",
}


def insert(model: Model, new: NewRecord, earlier: Collection[UUID]) -> str:
    """Name the clause that says whether this record is stored; `earlier` were stored by the same batch."""
    holder = model.holder(new.unique_key)
    met = model.records.get(new.id) or holder
    if met is not None and met.id in earlier:
        return "UNIQUE-02"
    if new.id in model.records:
        return "INSERT-04"
    if holder is not None:
        if holder.state in FINAL:
            return "UNIQUE-04"
        return "UNIQUE-01" if (holder.queue, holder.kind) == (new.queue, new.kind) else "UNIQUE-05"
    if new.unique_key is None:
        return "UNIQUE-05"
    had_it = any(record.unique_key == new.unique_key for record in model.records.values())
    return "UNIQUE-03" if had_it else "UNIQUE-01"


def extend(record: Record | None, now: datetime) -> str:
    """Name the clause for one claim; `record` is whose current claim it is."""
    if record is None or record.lease_until is None:
        return "LEASE-02"
    if record.cancel_requested:
        return "LEASE-03"
    return "LEASE-04" if record.lease_until <= now else "LEASE-01"


def settle(record: Record | None, outcome: Outcome, earlier: Collection[Claim]) -> str:
    """Name the clause for one outcome; `earlier` claims were ended by the same batch."""
    if record is None:
        return "SETTLE-08" if outcome.claim in earlier else "SETTLE-06"
    if not record.cancel_requested:
        return _BY_OUTCOME[type(outcome)]
    return "SETTLE-09" if isinstance(outcome, Retry | Release) else "SETTLE-10"


def rescue(record: Record) -> str:
    """Name the clause for an expired record."""
    if record.cancel_requested:
        return "RESCUE-04"
    return "RESCUE-03" if record.attempt >= record.max_attempts else "RESCUE-02"


def names(records: Iterable[Record | UUID]) -> str:
    """Write which records, shortly."""
    return ", ".join(str(record.id if isinstance(record, Record) else record) for record in records) or "none"
