"""The life of a job as a list of events, the earliest first."""

from datetime import datetime
from typing import Literal, NamedTuple

from tallystick import State

from ..control.documents import ErrorDocument, JobDetails

EventKind = Literal[
    "created", "due", "began", "failed", "retry", "completed", "discarded", "cancelled", "lease", "stop"
]


class Event(NamedTuple):
    """An event in the life of a job. Without a time it has not happened yet, or its time is not stored."""

    kind: EventKind
    at: datetime | None
    attempt: int | None = None
    error: ErrorDocument | None = None


def timeline(job: JobDetails) -> list[Event]:
    """Return the events that the record shows. It keeps the errors of the last 20 failed attempts."""
    events = [Event("created", job.created_at)]
    if not job.attempt and job.state in (State.PENDING, State.CANCELLED):
        events.append(Event("due", job.run_at))
    if job.attempted_at is not None:
        events.append(Event("began", job.attempted_at, job.attempt))  # first, as an attempt may fail at once
    events += [Event("failed", error.at, error.attempt, error) for error in job.errors]
    events.sort(key=lambda event: event.at or job.created_at)
    return [*events, *_end(job)]


def _end(job: JobDetails) -> list[Event]:
    match job.state:
        case State.COMPLETED:
            return [Event("completed", job.finished_at, job.attempt)]
        case State.CANCELLED:
            return [Event("cancelled", job.finished_at)]
        case State.DISCARDED:
            return [Event("discarded", job.finished_at, job.attempt)]
        case State.RETRYING:
            return [Event("retry", job.run_at, job.attempt + 1)]
        case State.RUNNING:
            stop = [Event("stop", job.updated_at, job.attempt)] if job.cancel_requested else []
            return [*stop, Event("lease", job.lease_until, job.attempt)]
        case State.PENDING:
            return [Event("due", job.run_at, job.attempt + 1)] if job.attempt else []
