"""The error of a failed attempt, as text."""

import json
from dataclasses import dataclass
from traceback import format_tb
from typing import ClassVar, Self

from ..errors import InvalidArgument
from ..interrupts import from_signal
from ..messages.safe_repr import safe_repr, safe_str, type_name
from ..messages.tracebacks import format_traceback, traceback_of

_LONGEST_CHAIN = 100  # the maximum number of causes that a traceback shows


@dataclass(frozen=True, slots=True)
class Failure:
    """The error of a failed attempt, as text. Stores keep any text unchanged, including NUL and lone surrogates."""

    type: str
    message: str
    traceback: str = ""

    MESSAGE_LENGTH: ClassVar = 4_000
    """The maximum length of a message from `of`, in characters."""
    TRACEBACK_LENGTH: ClassVar = 32_000
    """The maximum length of a traceback from `of`, in characters."""

    def __post_init__(self) -> None:
        for name in ("type", "message", "traceback"):
            if not isinstance(value := getattr(self, name), str):
                raise InvalidArgument(f"{name} of a Failure is {safe_repr(value)}; it must be a string")

    @classmethod
    def of(cls, exc: BaseException) -> Self:
        """Describe an exception. Keep the start of a long message, and the end of a long traceback."""
        return cls(
            type=type_name(exc),
            message=safe_str(exc)[: cls.MESSAGE_LENGTH],
            traceback=_traceback(exc)[-cls.TRACEBACK_LENGTH :],
        )

    def to_json(self) -> str:
        """Serialize as ASCII JSON, which every store keeps unchanged and people can read."""
        return json.dumps({"type": self.type, "message": self.message, "traceback": self.traceback})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse the JSON of `to_json`. Any other text becomes a failure of type `Unreadable` with that text."""
        try:
            written = json.loads(text)
            if written.keys() == {"type", "message", "traceback"} and all(
                type(part) is str for part in written.values()
            ):
                return cls(**written)
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        if isinstance(text, bytes):
            text = text.decode(errors="backslashreplace")
        return cls("Unreadable", text if isinstance(text, str) else safe_repr(text))


def _traceback(exc: BaseException) -> str:
    """Format a traceback, or only its frames if the exception's own code raises or if it has too many causes."""
    try:
        if _is_short_chain(exc):
            return format_traceback(exc, traceback_of(exc))
    except BaseException as broken:  # it calls the exception's __str__, __getattr__ and __notes__
        if from_signal(broken):
            raise
    try:
        return "".join(format_tb(traceback_of(exc)))
    except BaseException as broken:  # format_tb reads source lines through the module's own loader
        if from_signal(broken):
            raise
        return ""


def _is_short_chain(exc: BaseException) -> bool:
    link: BaseException | None = exc
    for _ in range(_LONGEST_CHAIN):
        if link is None:
            return True
        link = link.__cause__ or link.__context__
    return False


LEASE_EXPIRED = Failure("LeaseExpired", "the worker stopped extending its lease: it was killed, cut off or frozen")
"""The error that `rescue` records for the attempt that it ends."""
