"""Check the records of a `restore`, and decide which of them a store adds, and which of those hold their unique key.

A store looks up `ids` and `keys`, passes `placed` the ids and the keys that it has found, and adds the result. A key
counts as held unless the time of its holder `has_passed`; then the store frees it first.
"""

from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from ..contract import validation
from ..contract.attempt_errors import ERRORS_KEPT, AttemptError
from ..contract.failure import Failure
from ..contract.progress import Progress
from ..contract.progress import checked as checked_progress
from ..contract.records import Capabilities, NewRecord, Record
from ..contract.state import FINAL, State
from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr
from . import batches, keys
from .times import call_times, rounded_down, rounded_up

LARGEST_ATTEMPT = 2**31 - 1
"""The largest `attempt` and `max_attempts` of a record."""

_SHOWN = 5


class Placed(NamedTuple):
    """A record to add, and the unique key that it holds, or None if it holds none."""

    record: Record
    held_key: str | None


class RestoreCall(NamedTuple):
    """The checked arguments of `restore`. The times of the records are rounded."""

    records: Sequence[Record]
    now: datetime
    given: datetime | None
    precision: timedelta

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The distinct ids of the records, in their order."""
        return tuple(dict.fromkeys(record.id for record in self.records))

    @property
    def keys(self) -> tuple[str, ...]:
        """The distinct unique keys that the records take if they are free, in the order of the records."""
        taking = (record.unique_key for record in self.records if keys.takes(record, self.now))
        return tuple(dict.fromkeys(key for key in taking if key is not None))

    def at(self, clock: datetime) -> Self:
        """Return this call at the time of the server's clock, or unchanged if the caller passed `now`."""
        return self._replace(now=rounded_down(clock, self.precision)) if self.given is None else self

    def placed(self, stored: Container[UUID], held: Container[str]) -> list[Placed | None]:
        """Return for each record what to add; None if its id is stored, also by an earlier record of the call.

        Args:
            stored: The ids, among those of the records, that are stored.
            held: The keys, among those of the records, that a stored job holds for a time that has not passed.

        Raises:
            InvalidArgument: A record that is not final needs a key that another job holds.
        """
        seen: set[UUID] = set()
        taken: set[str] = set()
        blocked: list[Record] = []
        result: list[Placed | None] = []
        for record in self.records:
            if record.id in stored or record.id in seen:
                result.append(None)
                continue
            seen.add(record.id)
            key = record.unique_key if keys.takes(record, self.now) else None
            if key is not None and (key in held or key in taken):
                blocked += [] if record.state in FINAL else [record]
                key = None
            if key is not None:
                taken.add(key)
            result.append(Placed(record, key))
        if blocked:
            raise InvalidArgument(_blocked(blocked))
        return result


def _blocked(records: Sequence[Record]) -> str:
    shown = ", ".join(f"{record.id} ({safe_repr(record.unique_key)})" for record in records[:_SHOWN])
    more = f" and {len(records) - _SHOWN:,} more" if len(records) > _SHOWN else ""
    return (
        f"another job holds the unique key of {shown}{more}; cancel or delete that job, or omit these records. "
        "No record was stored"
    )


def restore(records: Sequence[Record], capabilities: Capabilities, *, now: datetime | None = None) -> RestoreCall:
    """Check `restore`, and round the times of the records."""
    batches.items(records, "records", capabilities.max_batch, Record)
    moment, given = call_times(now, capabilities)
    precision = capabilities.time_precision
    checked = [_named(record, capabilities) for record in records]
    return RestoreCall(checked, moment, given, precision)


def _named(record: Record, capabilities: Capabilities) -> Record:
    try:
        return _rounded(_checked(record, capabilities), capabilities.time_precision)
    except InvalidArgument as exc:
        id = record.id if isinstance(record.id, UUID) else safe_repr(record.id)
        raise type(exc)(f"record {id}: {exc}") from exc


def _checked(record: Record, capabilities: Capabilities) -> Record:
    """Return a record with plain values and times in UTC. Reject one that no job can have."""
    if not isinstance(record.state, str) or record.state not in tuple(State):
        raise InvalidArgument(f"state is {safe_repr(record.state)}; it must be one of {', '.join(State)}")
    state = State(record.state)
    new = NewRecord(
        kind=record.kind,
        payload=record.payload,
        queue=record.queue,
        id=record.id,
        priority=record.priority,
        unique_key=record.unique_key,
        unique_until=record.unique_until,
        tags=record.tags,
        meta=record.meta,
    )
    validation.within(record.attempt, 1 if state is State.RUNNING else 0, LARGEST_ATTEMPT, "attempt")
    validation.within(record.max_attempts, 1, LARGEST_ATTEMPT, "max_attempts")
    if not isinstance(record.cancel_requested, bool):
        raise InvalidArgument(f"cancel_requested is {safe_repr(record.cancel_requested)}; it must be True or False")
    if record.result is not None and not isinstance(record.result, bytes):
        raise InvalidArgument(f"result is of type {type(record.result).__name__}; it must be bytes or None")
    if record.last_error is not None and not isinstance(record.last_error, Failure):
        raise InvalidArgument(f"last_error is {safe_repr(record.last_error)}; it must be a Failure or None")
    validation.size(record.payload, capabilities.max_payload_bytes, "payload")
    validation.size(record.result, capabilities.max_payload_bytes, "result")
    return record._replace(
        state=state,
        kind=new.kind,
        queue=new.queue,
        unique_key=new.unique_key,
        tags=new.tags,
        meta=new.meta,
        worker=None if record.worker is None else validation.name(record.worker, "worker"),
        run_at=validation.utc(record.run_at, "run_at"),
        created_at=validation.utc(record.created_at, "created_at"),
        updated_at=validation.utc(record.updated_at, "updated_at"),
        attempted_at=None if record.attempted_at is None else validation.utc(record.attempted_at, "attempted_at"),
        finished_at=_only_in(state, FINAL, record.finished_at, "finished_at"),
        lease_until=_only_in(state, (State.RUNNING,), record.lease_until, "lease_until"),
        errors=_errors(record.errors),
        progress=_progress(record.progress),
    )


def _only_in(state: State, states: Container[State], value: datetime | None, what: str) -> datetime | None:
    """Return a time that a job has exactly in these states."""
    if (value is not None) != (state in states):
        allowed = "it must be an aware datetime" if state in states else "it must be None"
        raise InvalidArgument(f"{what} is {safe_repr(value)}, but the state is {state.value}; {allowed}")
    return None if value is None else validation.utc(value, what)


def _errors(entries: Sequence[AttemptError]) -> tuple[AttemptError, ...]:
    if not isinstance(entries, tuple) or not all(isinstance(entry, AttemptError) for entry in entries):
        raise InvalidArgument(f"errors is {safe_repr(entries)}; it must be a tuple of AttemptError")
    validation.within(len(entries), 0, ERRORS_KEPT, "the number of errors")
    return tuple(map(_entry, entries))


def _entry(entry: AttemptError) -> AttemptError:
    validation.within(entry.attempt, 0, LARGEST_ATTEMPT, "the attempt of an error")
    if not isinstance(entry.error, Failure):
        raise InvalidArgument(f"errors has {safe_repr(entry.error)}; each error must be a Failure")
    return AttemptError.of(entry.attempt, validation.utc(entry.at, "the time of an error"), entry.error)


def _progress(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    if not isinstance(progress, Progress):
        raise InvalidArgument(f"progress is {safe_repr(progress)}; it must be a Progress or None")
    return Progress(
        *checked_progress(progress.fraction, progress.message), validation.utc(progress.at, "the time of progress")
    )


def _rounded(record: Record, precision: timedelta) -> Record:
    """Round the end of a wait and of a lease up, and every other time down, as if the store had set it."""

    def down(moment: datetime | None) -> datetime | None:
        return None if moment is None else rounded_down(moment, precision)

    return record._replace(
        run_at=rounded_up(record.run_at, precision),
        created_at=rounded_down(record.created_at, precision),
        updated_at=rounded_down(record.updated_at, precision),
        attempted_at=down(record.attempted_at),
        finished_at=down(record.finished_at),
        lease_until=record.lease_until and rounded_up(record.lease_until, precision, "lease_until"),
        errors=tuple(entry._replace(at=rounded_down(entry.at, precision)) for entry in record.errors),
        progress=record.progress and record.progress._replace(at=rounded_down(record.progress.at, precision)),
    )
