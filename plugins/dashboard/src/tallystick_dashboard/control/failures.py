"""Failures, grouped by the type of their error and the kind of their job."""

from collections import Counter
from datetime import UTC, datetime

from pydantic import BaseModel, Field
from tallystick import Backend, Filter, Order, Record, State

from ..permissions import User
from .plane import ControlPlane
from .queries import JobFilter
from .times import WINDOWS

SAMPLED = 500
"""Groups are made of at most this many discarded and this many retrying jobs, the latest."""

_PAGE = 500
_MOST_GROUPS = 40


class FailureGroup(BaseModel):
    """The jobs of a kind whose last error has one type."""

    error_type: str
    kind: str
    discarded: int = Field(description="Jobs that were discarded in the window.")
    retrying: int = Field(description="Jobs that wait for another attempt now.")
    complete: bool = Field(description="Whether all jobs of the group were counted; otherwise there may be more.")
    message: str | None = Field(description="The message of the latest one. None if the user may not see payloads.")
    latest_at: datetime
    latest_id: str


class Failures(BaseModel):
    """The groups of a window, the largest first."""

    window: str
    since: datetime
    groups: list[FailureGroup]
    complete: bool = Field(description="Whether all failures of the window were grouped.")


def grouped(plane: ControlPlane, user: User, window: str) -> Failures:
    """Return the groups of failures in a window: discarded in it, or retrying now."""
    since, discarded, retrying = plane.shared.get(("failures", window), lambda: _read(plane, window))
    newest: dict[Key, Record] = {}
    for record in sorted((*discarded, *retrying), key=_failed_at):
        newest[_key(record)] = record
    dead, waiting = Counter(map(_key, discarded)), Counter(map(_key, retrying))
    complete = max(len(discarded), len(retrying)) < SAMPLED
    groups = [
        FailureGroup(
            error_type=error_type,
            kind=kind,
            discarded=dead[error_type, kind],
            retrying=waiting[error_type, kind],
            complete=complete,
            message=record.last_error.message if user.can_see_payloads and record.last_error else None,
            latest_at=_failed_at(record),
            latest_id=str(record.id),
        )
        for (error_type, kind), record in newest.items()
    ]
    groups.sort(key=lambda group: (-group.discarded - group.retrying, group.error_type, group.kind))
    complete = complete and len(groups) <= _MOST_GROUPS
    return Failures(window=window, since=since, groups=groups[:_MOST_GROUPS], complete=complete)


def _read(plane: ControlPlane, window: str) -> tuple[datetime, list[Record], list[Record]]:
    """Read the latest jobs that were discarded in a window, and those that wait for another attempt."""
    since = datetime.now(UTC) - WINDOWS[window]
    counts = plane.snapshot().by_state  # a store may read all its jobs to find none in a state
    discarded = Filter(states=[State.DISCARDED], finished_since=since)
    return (
        since,
        _latest(plane.backend, discarded, "finished_at") if counts[State.DISCARDED].count else [],
        _latest(plane.backend, Filter(states=[State.RETRYING]), "run_at") if counts[State.RETRYING].count else [],
    )


Key = tuple[str, str]


def _key(record: Record) -> Key:
    return (record.last_error.type if record.last_error else "", record.kind)


def _latest(backend: Backend, filter: Filter, order: Order) -> list[Record]:
    """Return the first records in an order that have an error, at most `SAMPLED`."""
    found: list[Record] = []
    after = None
    while len(found) < SAMPLED:
        records = backend.list(filter, limit=_PAGE, order=order, after=after)
        found += [record for record in records if record.last_error is not None]
        if len(records) < _PAGE:
            return found
        last = records[-1]
        moment = last.run_at if order == "run_at" else last.finished_at
        after = (moment or last.updated_at, last.id)
    return found[:SAMPLED]


def _failed_at(record: Record) -> datetime:
    return record.finished_at or record.updated_at


def filter_of(group: FailureGroup, state: State, window: str) -> JobFilter:
    """Return the filter of the jobs of a group in a state."""
    since = window if state is State.DISCARDED else None
    return JobFilter(state=[state], kind=[group.kind], error_type=[group.error_type], finished_since=since)
