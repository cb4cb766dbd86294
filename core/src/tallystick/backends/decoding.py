"""Read stored values without failing on damaged ones, such as after an edit by hand.

One damaged record must not block the others: a call that reads a thousand records returns all of them. Read an error
with `Failure.from_json`, which never fails either.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from ..contract.failure import Failure
from ..contract.state import State
from .times import moment

STATES = {state.value: state for state in State}
"""The states by their names. A lookup is faster than `State(name)`."""

NO_ATTEMPT_LEFT = Failure(
    "DamagedRecord", "its attempt is the largest number that a store holds, so it cannot be claimed again"
)
"""The error of a job that a claim discards, because its attempt cannot be raised."""


def optional_moment(micros: int | None) -> datetime | None:
    """Return the time of a number of microseconds since 1970, clamped to the years 1 to 9999."""
    return None if micros is None else moment(micros)


def tags(values: Iterable[object] | None) -> tuple[str, ...]:
    """Return stored tags, each as text."""
    return tuple(value if isinstance(value, str) else str(value) for value in values) if values else ()


def tags_from_json(text: str) -> tuple[str, ...]:
    """Return the tags of a JSON list. Any other text becomes one tag."""
    if text == "[]":
        return ()
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return (text,)
    return tags(values) if isinstance(values, list) else (text,)
