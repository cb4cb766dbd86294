"""The progress of an attempt: the latest value that its handler reported, as the record keeps it."""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr

PROGRESS_LENGTH = 500
"""The maximum length of the message of a progress, in characters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Progress(NamedTuple):
    """How far an attempt is: a fraction from 0 to 1, or None if it is not known, with a message.

    `at` is the time of the report, by the clock of the store.
    """

    fraction: float | None
    message: str
    at: datetime

    @property
    def percent(self) -> int | None:
        """The fraction in whole percent: 100 only at the end. None if the fraction is None."""
        if self.fraction is None:
            return None
        return 100 if self.fraction == 1 else min(round(self.fraction * 100), 99)

    def to_json(self) -> str:
        """Serialize as a line of ASCII JSON, with `at` in microseconds since 1970."""
        at = (self.at - _EPOCH) // _MICROSECOND
        return json.dumps({"at": at, "fraction": self.fraction, "message": self.message})

    @staticmethod
    def json_without_time(fraction: float | None, message: str) -> str:
        """Serialize a progress whose time is not known yet. A store adds `at` by its own clock."""
        return json.dumps({"fraction": fraction, "message": message})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse the JSON of `to_json`. Any other text becomes the message of a progress in 1970."""
        try:
            written = json.loads(text)
            at, fraction, message = written["at"], written["fraction"], written["message"]
            if type(at) is int:
                return cls(*checked(fraction, message), _EPOCH + at * _MICROSECOND)
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            pass
        return cls(None, safe_repr(text)[:PROGRESS_LENGTH], _EPOCH)


def checked(fraction: float | None, message: str) -> tuple[float | None, str]:
    """Return the values of a progress. Reject a fraction outside 0 to 1, and a message that is no text or too long."""
    if fraction is not None:
        if isinstance(fraction, bool) or not isinstance(fraction, float | int) or not 0 <= fraction <= 1:
            raise InvalidArgument(f"fraction is {safe_repr(fraction)}; it must be a number from 0 to 1, or None")
        fraction = float(fraction)
    if not isinstance(message, str):
        raise InvalidArgument(f"message is {safe_repr(message)}; it must be text")
    if len(message) > PROGRESS_LENGTH:
        raise InvalidArgument(f"message has {len(message)} characters; it may have at most {PROGRESS_LENGTH}")
    return fraction, message if type(message) is str else str.__str__(message)
