"""Change all jobs that match a filter: first a preview, then a task in a thread that reports its progress."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, Field
from tallystick import TRANSITIONS, Changes, Filter, State, TallystickError

from ..permissions import Permission, User
from ..rejections import Rejection
from .actions import JobChanges, apply, check
from .documents import JobDocument, job_document
from .plane import ControlPlane
from .queries import JobFilter

COUNTED = 5_000
"""A preview counts at most this many jobs, so that its page is fast."""

_EXPECTED = 100_000
"""An action that starts counts at most this many, to show its progress."""

MOST_RUNNING = 4
"""A further bulk action is rejected while this many run."""

_BATCH = 500
_KEPT = 50
_SAMPLES = 5


class BulkRequest(BaseModel):
    """An action on all jobs that match a filter."""

    action: Literal["requeue", "cancel", "delete", "update"]
    filter: JobFilter = JobFilter()
    changes: JobChanges | None = Field(default=None, description="For `update` only.")
    everything: bool = Field(default=False, description="Must be true if the filter matches all jobs.")


class Preview(BaseModel):
    """How many jobs an action would change, and some of them. The filter excludes jobs that are created later."""

    action: Permission
    filter: JobFilter
    changes: JobChanges | None
    count: int
    complete: bool = Field(description="Whether all matching jobs were counted.")
    sample: list[JobDocument]


class Progress(BaseModel):
    """A bulk action, running or ended."""

    id: UUID
    user: str
    action: Permission
    filter: str
    changed: int = 0
    expected: int
    state: Literal["running", "done", "stopped", "failed"] = "running"
    error: str | None = None
    started_at: datetime
    ended_at: datetime | None = None


def effective(request: BulkRequest) -> Filter:
    """Return the filter of the jobs that the action would change."""
    filter = request.filter.as_filter()
    sources = TRANSITIONS.sources(request.action)
    states = [state for state in filter.states or State if state in sources]
    return replace(filter, states=states)


def preview(plane: ControlPlane, user: User, request: BulkRequest) -> Preview:
    """Count the jobs that an action would change, and list some of them. Change nothing."""
    request = _checked(request)
    filter = effective(request)
    count = plane.backend.count(filter, at_most=COUNTED)
    sample = plane.backend.list(filter, limit=_SAMPLES)
    return Preview(
        action=Permission(request.action),
        filter=request.filter,
        changes=request.changes,
        count=count,
        complete=count < COUNTED,
        sample=[job_document(record, user) for record in sample],
    )


def _checked(request: BulkRequest) -> BulkRequest:
    if request.filter.is_empty and not request.everything:
        raise Rejection(422, "this filter matches all jobs; to change all of them, set everything to true")
    if (request.action == "update") != (request.changes is not None):
        raise Rejection(422, "changes belong to the action update, and update needs them")
    if request.changes is not None:
        request.changes.as_changes(datetime.now(UTC))
    return request.model_copy(update={"filter": request.filter.fixed(datetime.now(UTC))})


class _Task:
    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.stop = Event()


class BulkTasks:
    """Runs bulk actions, and keeps the progress of the latest ones."""

    def __init__(self, plane: ControlPlane, start: Callable[[Callable[[], None]], None] | None = None) -> None:
        self._plane = plane
        self._start = start or _in_thread
        self._tasks: OrderedDict[UUID, _Task] = OrderedDict()
        self._lock = Lock()

    def start(self, user: User, request: BulkRequest) -> Progress:
        """Start an action, and return its progress."""
        on = request.filter.text()
        check(self._plane, user, Permission(request.action), on)
        request = _checked(request)
        filter = effective(request)
        changes = request.changes.as_changes(datetime.now(UTC)) if request.changes else None
        task = _Task(
            Progress(
                id=uuid4(),
                user=user.name,
                action=Permission(request.action),
                filter=request.filter.text(),
                expected=self._plane.backend.count(filter, at_most=_EXPECTED),
                started_at=datetime.now(UTC),
            )
        )
        self._add(task)
        self._start(lambda: self._run(task, user, filter, changes))
        return task.progress

    def _add(self, task: _Task) -> None:
        """Keep a new task. Forget the earliest that has ended, if there are too many."""
        with self._lock:
            ended = [id for id, each in self._tasks.items() if each.progress.ended_at is not None]
            if len(self._tasks) - len(ended) >= MOST_RUNNING:
                raise Rejection(
                    409, "%(n)s bulk actions run already; stop one, or wait until one has ended", n=MOST_RUNNING
                )
            self._tasks[task.progress.id] = task
            for id in ended[: max(0, len(self._tasks) - _KEPT)]:
                del self._tasks[id]

    def get(self, id: UUID) -> Progress:
        """Return the progress of an action; raise a `Rejection` if it is not known here."""
        if (task := self._tasks.get(id)) is None:
            raise Rejection(
                404, "the bulk action %(id)s is not known: this process did not start it, or it is too old", id=id
            )
        return task.progress

    def latest(self) -> list[Progress]:
        """Return the latest actions, the newest first."""
        return [task.progress for task in reversed(list(self._tasks.values()))]

    def stop(self, user: User, id: UUID) -> Progress:
        """Stop an action after its current batch. The jobs that it changed stay changed."""
        progress = self.get(id)
        check(self._plane, user, progress.action, f"bulk={id}")
        self._tasks[id].stop.set()
        return progress

    def _run(self, task: _Task, user: User, filter: Filter, changes: Changes | None) -> None:
        progress = task.progress
        try:
            self._change_all(task, filter, changes)
            progress.state = "stopped" if task.stop.is_set() else "done"
        except TallystickError as exc:
            progress.state, progress.error = "failed", str(exc)
        except Exception as exc:
            progress.state, progress.error = "failed", type(exc).__name__
            raise
        finally:
            progress.ended_at = datetime.now(UTC)
            self._plane.audit.record(
                user, f"bulk {progress.action} ({progress.state})", progress.filter, progress.changed
            )
            self._plane.shared.forget()

    def _change_all(self, task: _Task, filter: Filter, changes: Changes | None) -> None:
        """Repeat until no new job changes. A job that changes twice is not new: workers put changed jobs back."""
        seen: set[UUID] = set()
        limit = min(_BATCH, self._plane.backend.capabilities.max_batch)
        while not task.stop.is_set():
            new = set(apply(self._plane, task.progress.action, filter, changes, limit)) - seen
            if not new:
                return
            seen |= new
            task.progress.changed = len(seen)


def _in_thread(run: Callable[[], None]) -> None:
    Thread(target=run, name="tallystick-dashboard-bulk", daemon=True).start()
