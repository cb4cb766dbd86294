"""Eligibility: the records that a call may change, and the order in which a claim takes them.

The kit states these rules here only. It shares no helper with the core, so that it can find an error in one.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from tallystick import Filter, Record, State

CLAIMABLE = frozenset({State.PENDING, State.RETRYING})
FINAL = frozenset({State.COMPLETED, State.DISCARDED, State.CANCELLED})

ELIGIBLE: Mapping[str, frozenset[State]] = {
    "claim": CLAIMABLE,
    "rescue": frozenset({State.RUNNING}),
    "cancel": CLAIMABLE | {State.RUNNING},
    "requeue": FINAL | {State.RETRYING},
    "delete": FINAL | CLAIMABLE,
    "purge": FINAL,
}
"""For each call that chooses its records itself: the states in which it changes a record."""


def is_eligible(call: str, record: Record) -> bool:
    """Return whether a call may change a record, as far as the record's state and flag decide."""
    return record.state in ELIGIBLE[call] and not (call == "cancel" and record.cancel_requested)


def is_due(record: Record, now: datetime) -> bool:
    """Return whether a record waits and its `run_at` is reached."""
    return is_eligible("claim", record) and record.run_at <= now


def claim_order(record: Record) -> tuple[Any, ...]:
    """Return the sort key of claiming order: priority (higher first), then `run_at`, then id as bytes."""
    return (-record.priority, record.run_at, record.id.bytes)


def is_expired(record: Record, now: datetime) -> bool:
    """Return whether a record runs and its lease has ended."""
    return is_eligible("rescue", record) and record.lease_until is not None and record.lease_until <= now


def is_purgeable(record: Record, states: Collection[State], before: datetime) -> bool:
    """Return whether a record is in one of the states and finished before a moment."""
    return record.state in states and record.finished_at is not None and record.finished_at < before


def holds_key(record: Record | None) -> bool:
    """Return whether a record holds a unique key."""
    if record is None or record.unique_key is None:
        return False
    return record.state not in FINAL or record.unique_until == "purged"


def fits(filter: Filter, record: Record) -> bool:
    """Return whether a record fits a filter."""
    if filter.ids is not None and record.id not in filter.ids:
        return False
    if filter.states is not None and record.state not in filter.states:
        return False
    if filter.kinds is not None and record.kind not in filter.kinds:
        return False
    if filter.queues is not None and record.queue not in filter.queues:
        return False
    return filter.tags is None or any(tag in filter.tags for tag in record.tags)
