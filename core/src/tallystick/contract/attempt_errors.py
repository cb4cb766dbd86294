"""The errors of a job's attempts, as its record keeps them."""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ..messages.safe_repr import safe_repr
from . import validation
from .failure import Failure

ERRORS_KEPT = 20
"""How many errors a record keeps: those of the latest failed attempts."""

TYPE_LENGTH = validation.NAME_LENGTH
"""The maximum length of the type of a kept error, in characters."""

MESSAGE_LENGTH = 1_000
"""The maximum length of the message of a kept error, in characters."""

TRACEBACK_LENGTH = 8_000
"""The maximum length of the traceback of a kept error, in characters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIELDS = ["attempt", "at", "type", "message", "traceback"]


class AttemptError(NamedTuple):
    """The error of an attempt, and the time at which the attempt ended."""

    attempt: int
    at: datetime
    error: Failure

    @classmethod
    def of(cls, attempt: int, at: datetime, error: Failure) -> "AttemptError":
        """Return the error to keep: the start of a long message, and the end of a long traceback."""
        kept = Failure(error.type[:TYPE_LENGTH], error.message[:MESSAGE_LENGTH], error.traceback[-TRACEBACK_LENGTH:])
        return cls(attempt, at, kept)

    def to_json(self) -> str:
        """Serialize as a line of ASCII JSON, with `at` in microseconds since 1970."""
        at = (self.at - _EPOCH) // _MICROSECOND
        return json.dumps(dict(zip(_FIELDS, (self.attempt, at, *_texts(self.error)), strict=True)))

    @classmethod
    def json_without_time(cls, attempt: int, error: Failure) -> str:
        """Serialize an error whose time is not known yet. A store adds `at` by its own clock."""
        kept = cls.of(attempt, _EPOCH, error)
        values = (kept.attempt, *_texts(kept.error))
        return json.dumps(dict(zip([field for field in _FIELDS if field != "at"], values, strict=True)))

    @classmethod
    def from_json(cls, text: str | bytes) -> "AttemptError":
        """Parse the JSON of `to_json`. Any other text becomes attempt 0 in 1970, with the type `Unreadable`."""
        try:
            written = json.loads(text)
            attempt, at, *texts = (written[field] for field in _FIELDS)
            if type(attempt) is int and type(at) is int:
                return cls(attempt, _EPOCH + at * _MICROSECOND, Failure(*texts))
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            pass
        return cls.of(0, _EPOCH, Failure("Unreadable", safe_repr(text)))

    def appended_to(self, errors: "tuple[AttemptError, ...]") -> "tuple[AttemptError, ...]":
        """Return the errors that a record keeps after this one."""
        return (*errors, self)[-ERRORS_KEPT:]


def _texts(error: Failure) -> tuple[str, str, str]:
    return error.type, error.message, error.traceback
