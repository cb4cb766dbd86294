"""Read jobs: pages, counts by state, and one job."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, Field
from tallystick import Filter, Record, State

from ..permissions import User
from .actions import find
from .documents import JobDetails, JobDocument, job_details, job_document
from .plane import ControlPlane
from .queries import JobFilter, JobQuery

MOST_COUNTED = 1_000
"""Counts of filtered jobs stop here."""


class JobPage(BaseModel):
    """A page of jobs."""

    jobs: list[JobDocument]
    next: str | None = Field(description="Pass it as `after` to get the next page. None: this is the last page.")


class JobCount(BaseModel):
    """The number of matching jobs."""

    count: int
    complete: bool = Field(description="Whether all matching jobs were counted.")


def page(plane: ControlPlane, user: User, query: JobQuery) -> JobPage:
    """Return a page of the jobs that match a query."""
    filter = query.as_filter()
    records = plane.backend.list(filter, limit=query.limit + 1, order=query.order, after=query.position())
    shown = records[: query.limit]
    more = len(records) > query.limit
    return JobPage(
        jobs=[job_document(record, user) for record in shown], next=_position(shown[-1], query) if more else None
    )


def _position(record: Record, query: JobQuery) -> str:
    moment = {"id": None, "run_at": record.run_at, "finished_at": record.finished_at}[query.order]
    return str(record.id) if moment is None else f"{moment.isoformat()}~{record.id}"


def count(plane: ControlPlane, filter: JobFilter, at_most: int = 10_000) -> JobCount:
    """Count the jobs that match a filter, up to `at_most`."""
    found = plane.backend.count(filter.as_filter(), at_most=at_most)
    return JobCount(count=found, complete=found < at_most)


def by_state(plane: ControlPlane, filter: JobFilter) -> dict[State, JobCount]:
    """Count the jobs of each state that match the rest of a filter.

    Counts of all jobs, and of queues, come from the snapshot. A state without any job is not counted again: a store may
    have to read all its jobs to find none that matches.
    """
    stats = plane.snapshots.get().stats
    rest = filter.model_copy(update={"state": []})
    if rest.is_empty:
        return _exact(stats.by_state)
    if rest.model_copy(update={"queue": []}).is_empty:
        queues = [stats.by_queue[name] for name in set(rest.queue) & stats.by_queue.keys()]
        return _exact({state: sum(queue.by_state[state] for queue in queues) for state in State})
    base = rest.as_filter(datetime.now(UTC))
    return {state: _count(plane, replace(base, states=[state])) if stats.by_state[state] else NONE for state in State}


NONE = JobCount(count=0, complete=True)


def _exact(counts: Mapping[State, int]) -> dict[State, JobCount]:
    return {state: JobCount(count=count, complete=True) for state, count in counts.items()}


def _count(plane: ControlPlane, filter: Filter) -> JobCount:
    found = plane.backend.count(filter, at_most=MOST_COUNTED)
    return JobCount(count=found, complete=found < MOST_COUNTED)


def details(plane: ControlPlane, user: User, id: UUID) -> JobDetails:
    """Return everything that is stored about a job; raise `JobNotFound` if it does not exist."""
    return job_details(find(plane, id), user, plane.masks)


def recent(plane: ControlPlane, user: User, limit: int) -> list[JobDocument]:
    """Return the newest jobs."""
    records: Sequence[Record] = plane.backend.list(JobFilter().as_filter(), limit=limit)
    return [job_document(record, user) for record in records]
