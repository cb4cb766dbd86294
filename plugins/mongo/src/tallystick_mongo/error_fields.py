"""The fields of a document that describe the errors of a job's attempts.

- `last_error`: the JSON of the latest error.
- `error_type`, `error_message`: its type and message, in a form that filters can search.
- `errors`: the JSON of each kept error, oldest first. Only `get` reads it.
"""

from typing import Any

from tallystick import AttemptError, Failure

UNREAD = {"errors": 0, "progress": 0}
"""The projection of every call except `get`: the errors of a job can take two megabytes."""


def described(failure: Failure) -> dict[str, Any]:
    """Return the fields for the latest error of a job."""
    return {
        "last_error": failure.to_json(),
        "error_type": searchable(failure.type),
        "error_message": searchable(failure.message),
    }


def searchable(text: str) -> str:
    """Return a text with one character for each byte of its UTF-8. ASCII stays unchanged.

    BSON has no lone surrogates, and a regular expression has no NUL. This form has none of the first, and a pattern can
    escape each of its characters. A text contains another one exactly if their forms do, because no character of UTF-8
    begins within another.
    """
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def containing(text: str) -> str:
    """Return the regular expression that finds a text in a searchable one."""
    return "".join(f"\\x{ord(character):02x}" for character in searchable(text))


def read_errors(stored: Any) -> tuple[AttemptError, ...]:
    """Return the errors of a document. A damaged entry becomes an error of the type `Unreadable`."""
    return tuple(map(AttemptError.from_json, stored if isinstance(stored, list) else [stored]))
