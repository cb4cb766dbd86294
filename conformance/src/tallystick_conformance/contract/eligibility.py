"""Eligibility: the records that a call may change, and the order in which a claim takes them.

The kit states these rules here only. It shares no helper with the core, so that it can find an error in one.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from tallystick import Changes, Failure, Filter, NewRecord, Order, Record, State

CLAIMABLE = frozenset({State.PENDING, State.RETRYING})
FINAL = frozenset({State.COMPLETED, State.DISCARDED, State.CANCELLED})

ELIGIBLE: Mapping[str, frozenset[State]] = {
    "claim": CLAIMABLE,
    "rescue": frozenset({State.RUNNING}),
    "cancel": CLAIMABLE | {State.RUNNING},
    "requeue": FINAL | {State.RETRYING},
    "delete": FINAL | CLAIMABLE,
    "update": CLAIMABLE,
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


def is_purgeable(
    record: Record,
    states: Collection[State],
    *,
    before: datetime,
    since: datetime | None = None,
    kinds: Collection[str] | None = None,
    except_kinds: Collection[str] = (),
) -> bool:
    """Return whether a purge with these arguments deletes a record."""
    if record.state not in states or not is_within(record.finished_at, since, before):
        return False
    return (kinds is None or record.kind in kinds) and record.kind not in except_kinds


def is_changed(record: Record, changes: Changes) -> bool:
    """Return whether an update changes a record that waits: a given value differs from its own."""
    return any(
        given not in (None, own)
        for given, own in (
            (changes.run_at, record.run_at),
            (changes.priority, record.priority),
            (changes.queue, record.queue),
        )
    )


def is_on_page(record: Record, order: Order) -> bool:
    """Return whether the pages of an order have a record."""
    return order == "id" or record.state in (FINAL if order == "finished_at" else CLAIMABLE)


def page_place(record: Record, order: Order) -> Any:
    """Return the position of a record in the pages of an order, as `after` has it."""
    return record.id if order == "id" else (getattr(record, order), record.id)


def page_key(place: Any) -> tuple[Any, ...]:
    """Return the sort key of a position: the time, if the order has one, then the id as bytes."""
    return (place[0], place[1].bytes) if isinstance(place, tuple) else (place.bytes,)


def holds_key(record: Record | None) -> bool:
    """Return whether a record in this state keeps its unique key, until a time that may have passed."""
    if record is None or record.unique_key is None:
        return False
    if record.unique_until == "purged" or isinstance(record.unique_until, timedelta):
        return True
    return record.state not in FINAL and (record.unique_until == "finished" or record.attempt == 0)


def has_passed(record: Record, now: datetime) -> bool:
    """Return whether a record keeps its unique key for a time, and this time has passed."""
    return isinstance(record.unique_until, timedelta) and now >= record.created_at + record.unique_until


def takes_key(record: Record, now: datetime) -> bool:
    """Return whether a requeue of this record takes its unique key."""
    return holds_key(record._replace(state=State.PENDING)) and not has_passed(record, now)


def meets(holder: Record, new: NewRecord) -> bool:
    """Return whether the insert of a job changes the holder of its unique key."""
    return new.on_conflict != "skip" and holder.state in CLAIMABLE and holder.kind == new.kind


def fits(filter: Filter, record: Record) -> bool:
    """Return whether a record fits a filter."""
    error = record.last_error
    chosen = (
        (filter.ids, record.id),
        (filter.states, record.state),
        (filter.kinds, record.kind),
        (filter.queues, record.queue),
        (filter.workers, record.worker),
        (filter.unique_keys, record.unique_key),
        (filter.error_types, error and error.type),
    )
    return (
        all(values is None or value in values for values, value in chosen)
        and (filter.tags is None or any(tag in filter.tags for tag in record.tags))
        and (filter.error_text is None or _has_text(error, filter.error_text))
        and is_within(record.created_at, filter.created_since, filter.created_until)
        and is_within(record.finished_at, filter.finished_since, filter.finished_until)
    )


def _has_text(error: Failure | None, text: str) -> bool:
    return error is not None and (text in error.type or text in error.message)


def is_within(moment: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    """Return whether since <= moment < until. None for a bound is no bound; no moment is within no bounds only."""
    if since is None and until is None:
        return True
    return moment is not None and (since is None or moment >= since) and (until is None or moment < until)
