"""Taking due jobs: one statement, and others that look further where some of the first ones are held."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg import errors
from tallystick import BackendError, Failure, Record

from . import rows
from .queries import Queries
from .rows import Row

logger = logging.getLogger("tallystick.postgres")

_NO_ATTEMPT_LEFT = Failure("DamagedRecord", "its attempt is the largest number that a store holds, so none can follow")

Write = Callable[[LiteralString, Mapping[str, Any]], Sequence[Row]]
"""Executes a statement that is its own transaction, and returns its rows."""


def claim(write: Write, queries: Queries, asked: Mapping[str, Any]) -> Sequence[Record]:
    """Return what `claim.sql` takes, in claiming order; jobs that cannot be claimed are discarded where it fails."""
    try:
        return _claim(write, queries.claim, asked)
    except BackendError as exc:
        if not isinstance(exc.__cause__, errors.NumericValueOutOfRange):
            raise
    for [id] in write(queries.discard_damaged, {"now": asked["now"], "error": _NO_ATTEMPT_LEFT.to_json()}):
        logger.warning("job %s discarded: %s", id, _NO_ATTEMPT_LEFT.message)
    return _claim(write, queries.claim, asked)


def _claim(write: Write, query: LiteralString, asked: Mapping[str, Any]) -> Sequence[Record]:
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
