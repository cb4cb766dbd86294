"""Choose the indexes that together have each record that a filter may match exactly once."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from tallystick import CLAIMABLE, FINAL, Filter, State
from tallystick.backends.times import micros

from . import matching
from .queries import Queries
from .rows import Parameters, Row, json_list

_FIRST, _LAST = -(2**63), 2**63 - 1
_COVERED = ("states", "finished_since", "finished_until")
_SEARCHED = ("kinds", "queues", "workers")
_NOTHING: Parameters = {
    "waiting": False,
    "waiting_queues": None,
    "running": False,
    "retrying": False,
    "finals": "[]",
    "first": _FIRST,
    "last": _LAST,
    "failed": False,
    "error_part": None,
    "by_error_types": None,
    "by_unique_keys": None,
    "by_tags": None,
    "by_created": False,
    "lowest_id": b"",
    "highest_id": b"",
}


@dataclass(frozen=True, slots=True)
class Candidates:
    """The records that a filter without ids may match."""

    filter: Filter
    parameters: Parameters
    are_exact: bool = False
    """The filter matches each candidate."""
    are_searched: bool = False
    """They are read from the optional indexes for searches."""
    are_neighbours: bool = False
    """They lie together in the table, so that reading them is cheap."""

    def count(self, connection: sqlite3.Connection, queries: Queries, at_most: int) -> int:
        """Count the candidates, up to `at_most`."""
        query = queries.count_candidates_searched if self.are_searched else queries.count_candidates
        [number] = connection.execute(query, {**self.parameters, "at_most": at_most}).fetchone()
        return int(number)

    def count_matching(self, connection: sqlite3.Connection, queries: Queries, at_most: int) -> int:
        """Count the candidates that match, up to `at_most`."""
        query = queries.count_searched if self.are_searched else queries.count
        [number] = connection.execute(query, {**self._asked(), "at_most": at_most}).fetchone()
        return int(number)

    def matching(self, connection: sqlite3.Connection, queries: Queries) -> Iterator[Row]:
        """Yield a row of `list_candidates.sql` for each candidate that matches."""
        query = queries.list_candidates_searched if self.are_searched else queries.list_candidates
        return matching.with_text(connection.execute(query, self._asked()), self.filter)

    def _asked(self) -> Parameters:
        return {**self.parameters, **matching.parameters(self.filter)}


def alternatives(filter: Filter, *, has_search: bool) -> Iterator[Candidates]:
    """Yield the candidates of each index that a filter can use, beginning with the most selective."""
    if filter.unique_keys is not None:
        yield _from(filter, by_unique_keys=json_list(filter.unique_keys))
    elif filter.error_types is not None:
        yield _from(filter, by_error_types=json_list(filter.error_types))
    elif filter.error_text is not None:
        yield _from(filter, failed=True, error_part=matching.error_part(filter))
    if filter.tags is not None:
        yield _from(filter, by_tags=json_list(filter.tags))
    if filter.created_since is not None or filter.created_until is not None:
        lowest, highest = matching.id_range(filter)
        yield Candidates(
            filter,
            {**_NOTHING, "by_created": True, "lowest_id": lowest, "highest_id": highest},
            are_neighbours=True,
        )
    if has_search:
        for name in _SEARCHED:
            if (values := getattr(filter, name)) is not None:
                asked = {**dict.fromkeys(f"by_{each}" for each in _SEARCHED), f"by_{name}": json_list(values)}
                yield Candidates(filter, asked, are_exact=has_only(filter, (name,)), are_searched=True)
    yield by_state(filter)


def _from(filter: Filter, **parameters: object) -> Candidates:
    return Candidates(filter, {**_NOTHING, **parameters})


def by_state(filter: Filter) -> Candidates:
    """Return the records in the states of a filter, from the indexes on the state."""
    states = _states(filter)
    waiting = [state for state in states if state in CLAIMABLE]
    waits = State.PENDING in waiting
    parameters = {
        **_NOTHING,
        "waiting": waits and filter.queues is None,
        "waiting_queues": json_list(filter.queues) if waits else None,
        "retrying": waiting == [State.RETRYING],
        "running": State.RUNNING in states,
        "finals": json_list([state for state in states if state in FINAL]),
        "first": _FIRST if filter.finished_since is None else micros(filter.finished_since),
        "last": _LAST if filter.finished_until is None else micros(filter.finished_until) - 1,
    }
    return Candidates(
        filter,
        parameters,
        are_exact=len(waiting) != 1 and has_only(filter, _COVERED),
        are_neighbours=filter.finished_since is not None or filter.finished_until is not None,
    )


def _states(filter: Filter) -> list[State]:
    if filter.finished_since is not None or filter.finished_until is not None:
        return matching.allowed(filter, FINAL)
    return matching.allowed(filter, matching.ALL_STATES)


def has_only(filter: Filter, names: tuple[str, ...]) -> bool:
    """Return whether a filter has no other fields than these."""
    return all(name in names or getattr(filter, name) is None for name in Filter.__dataclass_fields__)
