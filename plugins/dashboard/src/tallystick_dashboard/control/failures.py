"""Failures, grouped by the type of their error and the kind of their job."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel, Field
from tallystick import Backend, Filter, Record, State

from ..permissions import User
from .jobs import MOST_COUNTED
from .plane import ControlPlane
from .queries import JobFilter
from .times import WINDOWS

SAMPLED = 2_000
"""Groups are found among at most this many of the latest failures. Each group is then counted in full."""

_PAGE = 500
_MOST_GROUPS = 40


class FailureGroup(BaseModel):
    """The jobs of a kind whose last error has one type."""

    error_type: str
    kind: str
    discarded: int = Field(description="Jobs that were discarded in the window.")
    retrying: int = Field(description="Jobs that wait for another attempt now.")
    complete: bool = Field(description="Whether all jobs of the group were counted.")
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
    since = datetime.now(UTC) - WINDOWS[window]
    newest: dict[tuple[str, str], Record] = {}
    seen = 0
    for record in _failed(plane.backend, since):
        seen += 1
        if record.last_error is not None:
            key = (record.last_error.type, record.kind)
            if key not in newest or _failed_at(newest[key]) < _failed_at(record):
                newest[key] = record
    chosen = sorted(newest.items(), key=lambda item: _failed_at(item[1]), reverse=True)[:_MOST_GROUPS]
    groups = [_group(plane.backend, user, record, since) for _, record in chosen]
    groups.sort(key=lambda group: (-group.discarded - group.retrying, group.error_type, group.kind))
    complete = seen < 2 * SAMPLED and len(newest) <= _MOST_GROUPS
    return Failures(window=window, since=since, groups=groups, complete=complete)


def _failed(backend: Backend, since: datetime) -> Iterator[Record]:
    yield from _pages(backend, Filter(states=[State.DISCARDED], finished_since=since), "finished_at")
    yield from _pages(backend, Filter(states=[State.RETRYING]), "run_at")


def _pages(backend: Backend, filter: Filter, order: str) -> Iterator[Record]:
    after = None
    for _ in range(SAMPLED // _PAGE):
        records = backend.list(filter, limit=_PAGE, order=order, after=after)  # type: ignore[arg-type]  # an Order
        yield from records
        if len(records) < _PAGE:
            return
        last = records[-1]
        moment = last.run_at if order == "run_at" else last.finished_at
        after = (moment or last.updated_at, last.id)


def _failed_at(record: Record) -> datetime:
    return record.finished_at or record.updated_at


def _group(backend: Backend, user: User, record: Record, since: datetime) -> FailureGroup:
    assert record.last_error is not None
    error = record.last_error
    both = Filter(kinds=[record.kind], error_types=[error.type])
    discarded = backend.count(replace(both, states=[State.DISCARDED], finished_since=since), at_most=MOST_COUNTED)
    retrying = backend.count(replace(both, states=[State.RETRYING]), at_most=MOST_COUNTED)
    return FailureGroup(
        error_type=error.type,
        kind=record.kind,
        discarded=discarded,
        retrying=retrying,
        complete=max(discarded, retrying) < MOST_COUNTED,
        message=error.message if user.can_see_payloads else None,
        latest_at=_failed_at(record),
        latest_id=str(record.id),
    )


def filter_of(group: FailureGroup, state: State, window: str) -> JobFilter:
    """Return the filter of the jobs of a group in a state."""
    since = window if state is State.DISCARDED else None
    return JobFilter(state=[state], kind=[group.kind], error_type=[group.error_type], finished_since=since)
