"""Claim due jobs: execute `claim.sql`, and repeat it further down the queues if other clients hold the first jobs."""

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

_NO_ATTEMPT_LEFT = Failure(
    "DamagedRecord", "its attempt is the largest number that a store holds, so it cannot be claimed again"
)

Write = Callable[[LiteralString, Mapping[str, Any]], Sequence[Row]]
"""A function that executes one statement as a transaction, and returns its rows."""


def claim(write: Write, queries: Queries, parameters: Mapping[str, Any]) -> Sequence[Record]:
    """Claim due jobs; return them in claiming order. If a damaged job makes `claim.sql` fail, discard it first."""
    try:
        return _claim(write, queries.claim, parameters)
    except BackendError as exc:
        if not isinstance(exc.__cause__, errors.NumericValueOutOfRange):
            raise
    for [id] in write(queries.discard_damaged, {"now": parameters["now"], "error": _NO_ATTEMPT_LEFT.to_json()}):
        logger.warning("job %s discarded: %s", id, _NO_ATTEMPT_LEFT.message)
    return _claim(write, queries.claim, parameters)


def _claim(write: Write, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Record]:
    limit = look = parameters["limit"]
    taken, found = _taken(write(query, {**parameters, "look": look, "taken": []}))
    while len(taken) < limit and found == look:  # other clients hold some of the first jobs
        look *= 2
        more = {**parameters, "limit": limit - len(taken), "look": look, "taken": [row[0] for row in taken]}
        found = 0
        with _kept(taken):
            further, found = _taken(write(query, more))
            taken += further
    return rows.records(sorted(taken, key=rows.claiming_order))


def _taken(found: Sequence[Row]) -> tuple[list[Row], int]:
    """Return the rows of the claimed jobs, and how many jobs the statement looked at: the last column of each row."""
    return [row for row in found if row[0] is not None], found[0][-1]


@contextmanager
def _kept(taken: Sequence[Row]) -> Iterator[None]:
    """Suppress an error of a later statement if some jobs are claimed already: the caller must receive them."""
    try:
        yield
    except BackendError:
        if not taken:
            raise
