"""Change jobs, queues and schedules. Each action checks the user's permission and writes an entry of the audit log."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from tallystick import Changes, Filter, NewRecord, Record

from ..permissions import Permission, User
from ..rejections import NotPermitted, Rejection
from .documents import COPY_OF
from .plane import ControlPlane
from .queries import JobFilter, Name
from .times import parse_due
from .values import payload_of

JOB_ACTIONS = (Permission.REQUEUE, Permission.CANCEL, Permission.DELETE, Permission.UPDATE)
"""The actions on jobs that one or many jobs can take."""


class JobChanges(BaseModel):
    """New values of waiting jobs. None leaves a value as it is."""

    run_at: str | None = Field(default=None, max_length=64, description="now, ISO 8601, or a delay, e.g. 15m.")
    priority: int | None = Field(default=None, ge=-(2**15), le=2**15 - 1)
    queue: Name | None = None

    def as_changes(self, now: datetime) -> Changes:
        """Return the changes of the contract."""
        run_at = _due(self.run_at, now) if self.run_at else None
        return Changes(run_at=run_at, priority=self.priority, queue=self.queue)

    def text(self) -> str:
        """Return the changes for the audit log."""
        return " ".join(f"{name}={value}" for name, value in self.model_dump(exclude_none=True).items())


def _due(text: str, now: datetime) -> datetime:
    try:
        return parse_due(text, now)
    except ValueError:
        raise Rejection(
            422,
            "%(text)s is not a time; write ISO 8601, e.g. 2026-11-28T09:30, or a span, e.g. 2h",
            text=repr(text[:60]),
        ) from None


def check(plane: ControlPlane, user: User, permission: Permission, on: str) -> None:
    """Reject an action that the user may not take, and record the attempt."""
    if not user.may(permission):
        plane.audit.rejected(user, permission, on)
        if plane.settings.read_only:
            raise NotPermitted("%(action)s is not permitted: the dashboard is read-only", action=permission)
        raise NotPermitted(
            "%(action)s is not permitted: the user %(user)s may only read here", action=permission, user=user.name
        )


def apply(plane: ControlPlane, action: Permission, filter: Filter, changes: Changes | None, limit: int) -> list[UUID]:
    """Take one step of an action on jobs, and return the ids of the changed jobs."""
    backend = plane.backend
    match action:
        case Permission.REQUEUE:
            return list(backend.requeue(filter, limit=limit))
        case Permission.CANCEL:
            return list(backend.cancel(filter, limit=limit))
        case Permission.DELETE:
            return list(backend.delete(filter, limit=limit))
        case Permission.UPDATE if changes is not None:
            return list(backend.update(filter, changes, limit=limit))
        case _:
            raise Rejection(
                422,
                "%(action)s is not an action on jobs; use one of %(actions)s",
                action=action,
                actions=", ".join(JOB_ACTIONS),
            )


def change_jobs(
    plane: ControlPlane, user: User, action: Permission, ids: Sequence[UUID], changes: JobChanges | None = None
) -> list[UUID]:
    """Change the jobs with these ids, and return the ids of those that changed."""
    on = JobFilter(id=list(ids)).text()
    detail = f"{action} {changes.text()}" if changes else action
    check(plane, user, action, on)
    new = changes.as_changes(datetime.now(UTC)) if changes else None
    done: list[UUID] = []
    size = min(1_000, plane.backend.capabilities.max_batch)
    for start in range(0, len(ids), size):
        batch = list(ids[start : start + size])
        done += apply(plane, action, Filter(ids=batch), new, len(batch))
    plane.audit.record(user, detail, on, len(done))
    plane.shared.forget()
    return done


class NewJob(BaseModel):
    """A job to enqueue."""

    kind: Name
    payload: Any = None
    queue: Name | None = None
    priority: int | None = Field(default=None, ge=-(2**15), le=2**15 - 1)
    max_attempts: int | None = Field(default=None, ge=1, le=1_000_000)
    run_at: str | None = Field(default=None, max_length=64, description="now, ISO 8601, or a delay, e.g. 15m.")
    tags: list[Name] = Field(default=[], max_length=100)
    unique_key: Name | None = None

    def options(self, now: datetime) -> dict[str, Any]:
        """Return the options that are set."""
        given = self.model_dump(exclude={"kind", "payload", "run_at", "tags"}, exclude_none=True)
        if self.tags:
            given["tags"] = tuple(self.tags)
        if self.run_at and self.run_at != "now":
            given["run_at"] = _due(self.run_at, now)
        return given


class Enqueued(BaseModel):
    """The stored job, or the job that it duplicates."""

    id: UUID
    created: bool


def enqueue(plane: ControlPlane, user: User, job: NewJob) -> Enqueued:
    """Enqueue a job of a registered kind. Its type validates the payload."""
    check(plane, user, Permission.ENQUEUE, f"kind={job.kind}")
    if job.kind not in plane.runner.definitions:
        raise Rejection(
            422,
            "%(kind)s is not registered here; start the dashboard with the application's runner, e.g. "
            "`tallystick dashboard app.jobs:runner`",
            kind=repr(job.kind),
        )
    handle = plane.runner.enqueue_raw(job.kind, encoded(job.payload), **job.options(datetime.now(UTC)))
    plane.audit.record(user, f"enqueue {job.kind}", f"id={handle.id}", int(not handle.duplicate))
    plane.shared.forget()
    return Enqueued(id=handle.id, created=not handle.duplicate)


class Rerun(BaseModel):
    """How to run a job again as a new job."""

    payload: Any = Field(default=None, description="Another payload. Masked fields that you leave stay as they are.")
    same_payload: bool = Field(default=True, description="Whether to use the payload of the job, and not `payload`.")


def rerun(plane: ControlPlane, user: User, id: UUID, how: Rerun) -> Enqueued:
    """Store a new job like an earlier one, which links to it. The earlier job and its history stay."""
    check(plane, user, Permission.ENQUEUE, f"id={id}")
    record = find(plane, id)
    if not how.same_payload and not user.can_see_payloads:
        raise NotPermitted("only users who can see payloads may change one")
    payload = record.payload if how.same_payload else _edited(plane, record, how.payload)
    new = NewRecord(
        kind=record.kind,
        payload=payload,
        queue=record.queue,
        priority=record.priority,
        max_attempts=max(1, min(record.max_attempts, _options_attempts(plane, record))),
        tags=record.tags,
        meta={**record.meta, COPY_OF: str(id)},
    )
    [inserted] = plane.backend.insert([new])
    plane.audit.record(user, "run again", f"id={id}", 1)
    plane.shared.forget()
    return Enqueued(id=inserted.record.id, created=inserted.created)


def find(plane: ControlPlane, id: UUID) -> Record:
    """Return the record of a job; raise a `Rejection` if it does not exist."""
    try:
        return plane.backend.get([id])[id]
    except KeyError:
        raise Rejection(
            404, "job %(id)s was not found: it never existed, or was deleted or purged; check its id", id=id
        ) from None


def _edited(plane: ControlPlane, record: Record, payload: Any) -> bytes:
    """Return an edited payload as it is stored. Its masks are replaced by the values of the job."""
    before = payload_of(plane.runner, record).json
    text = encoded(plane.masks.restored(payload, before, record.kind))
    if (definition := plane.runner.definitions.get(record.kind)) is not None:
        definition.decode(text, record.meta)
    return plane.runner.stored_payload(record.kind, text)


def _options_attempts(plane: ControlPlane, record: Record) -> int:
    """Return the kind's own max_attempts: those of the record rise with each requeue and release."""
    definition = plane.runner.definitions.get(record.kind)
    return record.max_attempts if definition is None else plane.runner.settings.max_attempts_of(definition.options)


def encoded(payload: Any) -> bytes:
    """Return a payload as JSON; raise a `Rejection` if it is not a JSON value."""
    try:
        return json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError) as exc:
        raise Rejection(422, "the payload cannot be written as JSON", detail=str(exc)) from None


def set_paused(plane: ControlPlane, user: User, queue: str, *, paused: bool) -> None:
    """Pause or resume a queue."""
    action = "pause queue" if paused else "resume queue"
    check(plane, user, Permission.QUEUES, f"queue={queue}")
    (plane.backend.pause if paused else plane.backend.resume)(queue)
    plane.audit.record(user, action, f"queue={queue}", 1)
    plane.shared.forget()
