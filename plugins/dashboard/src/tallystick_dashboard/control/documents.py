"""The JSON documents about jobs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from tallystick import Failure, Progress, Record, Runner, State, UniqueUntil

from ..permissions import User
from .masks import MASK, Masks
from .values import Value, masked_payload, masked_result

COPY_OF = "copy_of"
"""The key of meta that holds the id of the job that a job repeats."""


class ErrorDocument(BaseModel):
    """The error of a failed attempt. The message and the traceback are None if the user may not see payloads."""

    type: str
    message: str | None
    traceback: str | None = None
    attempt: int | None = None
    at: datetime | None = None


class ProgressDocument(BaseModel):
    """The latest progress of a job. The message is None if the user may not see payloads."""

    fraction: float | None = Field(description="From 0 to 1. None if it is not known.")
    percent: int | None = Field(description="The fraction in whole percent: 100 only at the end.")
    message: str | None
    at: datetime


class JobDocument(BaseModel):
    """A job in a list."""

    id: UUID
    kind: str
    queue: str
    state: State
    priority: int
    attempt: int
    max_attempts: int
    run_at: datetime
    created_at: datetime
    updated_at: datetime
    attempted_at: datetime | None
    finished_at: datetime | None
    lease_until: datetime | None
    worker: str | None
    cancel_requested: bool
    unique_key: str | None
    unique_until: UniqueUntil
    tags: list[str]
    last_error: ErrorDocument | None

    @property
    def duration(self) -> timedelta | None:
        """How long the latest attempt took, if it has ended the job."""
        if self.finished_at is None or self.attempted_at is None:
            return None
        return max(self.finished_at - self.attempted_at, timedelta(0))


class JobDetails(JobDocument):
    """Everything that is stored about a job."""

    payload: Any = Field(description="The JSON value, with masked fields; other bytes are {base64}.")
    payload_error: str | None = Field(description="Why the codec cannot decode the payload, which is then None.")
    payload_bytes: int = Field(description="The size as stored.")
    result: Any = None
    result_error: str | None = Field(description="Why the codec cannot decode the result, which is then None.")
    has_result: bool
    meta: dict[str, str]
    errors: list[ErrorDocument]
    progress: ProgressDocument | None
    hidden: bool = Field(description="Whether payload, result, meta and the texts of errors and progress are left out.")
    copy_of: UUID | None = Field(description="The job that this one repeats.")


def job_document(record: Record, user: User) -> JobDocument:
    """Return the document of a job in a list."""
    return JobDocument(**_fields(record, user))


def job_details(record: Record, user: User, runner: Runner, masks: Masks) -> JobDetails:
    """Return the document of one job, with the masks and without the fields that the user may not see."""
    sees = user.can_see_payloads
    errors = [_error(entry.error, user, attempt=entry.attempt, at=entry.at) for entry in record.errors]
    payload = masked_payload(runner, masks, record) if sees else Value()
    result = masked_result(runner, masks, record) if sees else Value()
    return JobDetails(
        **_fields(record, user, traceback=True),
        payload=payload.json,
        payload_error=payload.error,
        payload_bytes=len(record.payload),
        result=result.json,
        result_error=result.error,
        has_result=record.result is not None,
        meta=masks.texts(record.meta) if sees else {},
        errors=errors,
        progress=record.progress and _progress(record.progress, user),
        hidden=not sees,
        copy_of=_uuid(record.meta.get(COPY_OF)),
    )


def _fields(record: Record, user: User, *, traceback: bool = False) -> dict[str, Any]:
    fields = {name: getattr(record, name) for name in JobDocument.model_fields if name != "last_error"}
    error = record.last_error
    shown = None if error is None else _error(error, user)
    if shown is not None and not traceback:
        shown.traceback = None
    return fields | {"tags": list(record.tags), "last_error": shown}


def _error(error: Failure, user: User, attempt: int | None = None, at: datetime | None = None) -> ErrorDocument:
    sees = user.can_see_payloads
    return ErrorDocument(
        type=error.type,
        message=error.message if sees else None,
        traceback=error.traceback if sees else None,
        attempt=attempt,
        at=at,
    )


def _progress(progress: Progress, user: User) -> ProgressDocument:
    return ProgressDocument(
        fraction=progress.fraction,
        percent=progress.percent,
        message=progress.message if user.can_see_payloads else None,
        at=progress.at,
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text and text != MASK else None
    except ValueError:
        return None
