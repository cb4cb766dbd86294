"""Taking due jobs: one statement, and another where others hold some of the first ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

from windlass import BackendError, Record

from . import rows
from .rows import Row

Write = Callable[[LiteralString, Mapping[str, Any]], Sequence[Row]]
"""Executes a statement that is its own transaction, and returns its rows."""


def claim(write: Write, query: LiteralString, asked: Mapping[str, Any]) -> Sequence[Record]:
    """Return what `claim.sql` takes, in claiming order."""
    taken, due = _taken(write(query, {**asked, "contended": False, "taken": []}))
    if len(taken) < due:  # others hold some of the first jobs, and there may be free ones in other lanes
        more = {**asked, "limit": asked["limit"] - len(taken), "contended": True, "taken": [row[0] for row in taken]}
        with _kept(taken):
            taken += _taken(write(query, more))[0]
    return rows.records(sorted(taken, key=rows.claiming_order))


def _taken(found: Sequence[Row]) -> tuple[list[Row], int]:
    """Return the rows of claimed jobs, and how many were due: the last column, of a row of its own where none is."""
    return [row for row in found if row[0] is not None], found[0][-1]


@contextmanager
def _kept(taken: Sequence[Row]) -> Iterator[None]:
    """Answer with what was taken, where there is something, though the store failed when it was asked for more."""
    try:
        yield
    except BackendError:
        if not taken:
            raise
