"""Read jobs: pages, counts by state, and one job."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, Field
from tallystick import Record, State

from ..permissions import User
from .actions import find
from .counts import NONE, JobCount
from .counts import count as count_up_to
from .documents import JobDetails, JobDocument, job_details, job_document
from .plane import ControlPlane
from .queries import JobFilter, JobQuery


class JobPage(BaseModel):
    """A page of jobs."""

    jobs: list[JobDocument]
    next: str | None = Field(description="Pass it as `after` to get the next page. None: this is the last page.")


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


def by_state(plane: ControlPlane, query: JobQuery, page: JobPage) -> dict[State, JobCount]:
    """Count the jobs of each state that match the rest of a query, up to 1,000.

    Counts of all jobs come from the snapshot. If the page shows all matching jobs, they are counted on it. A state
    without any job is not counted again: a store may have to read all its jobs to find none that matches.

    Args:
        plane: The store.
        query: The query.
        page: The page of the query.
    """
    totals = plane.snapshot().by_state
    rest = query.only_filter().model_copy(update={"state": []})
    if rest.is_empty:
        return dict(totals)
    if query.order == "id" and not query.state and not query.after and page.next is None:
        found = Counter(job.state for job in page.jobs)
        return {state: JobCount(count=found[state], complete=True) for state in State}
    return plane.shared.get(("by state", rest.text()), lambda: _counts(plane, rest, totals))


def _counts(plane: ControlPlane, rest: JobFilter, totals: Mapping[State, JobCount]) -> dict[State, JobCount]:
    base = rest.as_filter(datetime.now(UTC))
    return {
        state: count_up_to(plane.backend, replace(base, states=[state])) if totals[state].count else NONE
        for state in State
    }


def details(plane: ControlPlane, user: User, id: UUID) -> JobDetails:
    """Return everything that is stored about a job; raise a `Rejection` if it does not exist."""
    return job_details(find(plane, id), user, plane.runner, plane.masks)


def recent(plane: ControlPlane, user: User, limit: int) -> list[JobDocument]:
    """Return the newest jobs."""
    records: Sequence[Record] = plane.backend.list(JobFilter().as_filter(), limit=limit)
    return [job_document(record, user) for record in records]
