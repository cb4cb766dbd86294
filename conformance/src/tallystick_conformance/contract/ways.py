"""The transitions of the table of states, which generated programs must cover."""

from typing import NamedTuple

from tallystick import TRANSITIONS, State


class Way(NamedTuple):
    """One transition of the table: from a state, by a call, to a state."""

    source: State | None
    by: str
    target: State | None


WAYS = tuple(Way(way.source, way.by, way.target) for way in TRANSITIONS)
"""Every transition of the table, in its order."""
