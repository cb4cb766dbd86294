"""Taking due jobs: one statement, and others that look further where some of the first ones are held."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

from tallystick import BackendError, Record

from . import rows
from .rows import Row

Write = Callable[[LiteralString, Mapping[str, Any]], Sequence[Row]]
"""Executes a statement that is its own transaction, and returns its rows."""


def claim(write: Write, query: LiteralString, asked: Mapping[str, Any]) -> Sequence[Record]:
    """Return what `claim.sql` takes, in claiming order."""
    limit = look = asked["limit"]
    taken, found = _taken(write(query, {**asked, "look": look, "taken": []}))
    while len(taken) < limit and found == look:  # others hold some of the first jobs, and there may be free ones behind
        look *= 2
        more = {**asked, "limit": limit - len(taken), "look": look, "taken": [row[0] for row in taken]}
        found = 0
        with _kept(taken):
            further, found = _taken(write(query, more))
            taken += further
    return rows.records(sorted(taken, key=rows.claiming_order))


def _taken(found: Sequence[Row]) -> tuple[list[Row], int]:
    """Return the rows of claimed jobs, and among how many: the last column, of a row of its own where none is."""
    return [row for row in found if row[0] is not None], found[0][-1]


@contextmanager
def _kept(taken: Sequence[Row]) -> Iterator[None]:
    """Answer with what was taken, where there is something, though the store failed when it was asked for more."""
    try:
        yield
    except BackendError:
        if not taken:
            raise
