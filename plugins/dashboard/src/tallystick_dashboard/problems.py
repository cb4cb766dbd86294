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
    match exc:
        case Rejection():
            return exc
        case ValidationError():
            return Rejection(422, validation_text(exc))
        case JobNotFound() | ScheduleNotFound():
            return Rejection(404, _short(exc))
        case PayloadTooLarge():
            return Rejection(413, _short(exc))
        case InvalidArgument() | Unsupported():
            return Rejection(422, _short(exc))
        case BackendError():
            return Rejection(503, _short(exc))
        case TallystickError():
            return Rejection(422, _short(exc))
        case _:
            return None


def validation_text(exc: ValidationError) -> str:
    """Return the errors of a request, without its values: they may be secrets."""
    errors = exc.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in errors)[:_LONGEST]


def _short(exc: Exception) -> str:
    return str(exc)[:_LONGEST]
