"""The HTTP status and message of each error."""

from pydantic import ValidationError
from tallystick import (
    BackendError,
    InvalidArgument,
    JobNotFound,
    PayloadTooLarge,
    ScheduleNotFound,
    TallystickError,
    Unsupported,
)

from .rejections import Rejection

_LONGEST = 1_000


def as_rejection(exc: Exception) -> Rejection | None:
    """Return an error as the rejection of a request; None for a bug."""
    if isinstance(exc, Rejection):
        return exc
    if isinstance(exc, ValidationError):
        return Rejection(422, detail=validation_text(exc))
    status = next((status for error, status in _STATUS if isinstance(exc, error)), None)
    return None if status is None else Rejection(status, detail=str(exc)[:_LONGEST])


_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (JobNotFound, 404),
    (ScheduleNotFound, 404),
    (PayloadTooLarge, 413),
    (InvalidArgument, 422),
    (Unsupported, 422),
    (BackendError, 503),
    (TallystickError, 422),
)


def validation_text(exc: ValidationError) -> str:
    """Return the errors of a request, without its values: they may be secrets."""
    errors = exc.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in errors)[:_LONGEST]
