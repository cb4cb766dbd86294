"""Choose the indexes that together have each record that a filter may match exactly once."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple, Self

from tallystick import CLAIMABLE, FINAL, Filter, State
from tallystick.backends.times import micros

from . import matching
from .queries import Queries
from .rows import Parameters, Row, json_list

_FIRST, _LAST = -(2**63), 2**63 - 1
_COVERED = ("states", "finished_since", "finished_until")


class Candidates(NamedTuple):
    """The records that a filter without ids may match."""

    filter: Filter
    parameters: Parameters
    are_exact: bool
    """The filter matches each candidate."""

    @classmethod
    def of(cls, filter: Filter) -> Self:
        """Return the candidates of a filter, from the index that has the fewest of them."""
        states = _states(filter)
        waiting = [state for state in states if state in CLAIMABLE]
        by_key, by_type, by_text = filter.unique_keys, filter.error_types, filter.error_text
        by_state = by_key is None and by_type is None and by_text is None
        parameters = {
            "waiting": by_state and bool(waiting),
            "running": by_state and State.RUNNING in states,
            "finals": json_list([state for state in states if state in FINAL] if by_state else []),
            "first": _FIRST if filter.finished_since is None else micros(filter.finished_since),
            "last": _LAST if filter.finished_until is None else micros(filter.finished_until) - 1,
            "failed": by_text is not None and by_type is None and by_key is None,
            "by_error_types": json_list(by_type) if by_key is None else None,
            "by_unique_keys": json_list(by_key),
        }
        return cls(filter, parameters, len(waiting) != 1 and has_only(filter, _COVERED))

    def count(self, connection: sqlite3.Connection, queries: Queries, at_most: int) -> int:
        """Count the candidates, up to `at_most`."""
        asked = {**self.parameters, "at_most": at_most}
        [number] = connection.execute(queries.count_candidates, asked).fetchone()
        return int(number)

    def count_matching(self, connection: sqlite3.Connection, queries: Queries, at_most: int) -> int:
        """Count the candidates that match, up to `at_most`."""
        asked = {**matching.parameters(self.filter), **self.parameters, "at_most": at_most}
        [number] = connection.execute(queries.count, asked).fetchone()
        return int(number)

    def matching(self, connection: sqlite3.Connection, queries: Queries) -> Iterator[Row]:
        """Yield a row of `list_candidates.sql` for each candidate that matches."""
        asked = {**matching.parameters(self.filter), **self.parameters}
        return matching.with_text(connection.execute(queries.list_candidates, asked), self.filter)


def _states(filter: Filter) -> list[State]:
    if filter.finished_since is not None or filter.finished_until is not None:
        return matching.allowed(filter, FINAL)
    return matching.allowed(filter, matching.ALL_STATES)


def has_only(filter: Filter, names: tuple[str, ...]) -> bool:
    """Return whether a filter has no other fields than these."""
    return all(name in names or getattr(filter, name) is None for name in Filter.__dataclass_fields__)
