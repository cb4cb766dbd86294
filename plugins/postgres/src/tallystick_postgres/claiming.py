"""Claim due jobs: execute `claim.sql`, and repeat it further down the queues if other clients hold the first jobs."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg import errors
from tallystick import BackendError, Record
from tallystick.backends.calls import ClaimCall
from tallystick.backends.decoding import NO_ATTEMPT_LEFT
from tallystick.backends.selection import claiming_order

from . import rows
from .execute import Execute
from .queries import Queries
from .rows import Row

logger = logging.getLogger("tallystick.postgres")


def claim(execute: Execute, queries: Queries, call: ClaimCall) -> Sequence[Record]:
    """Claim due jobs; return them in claiming order. If a damaged job makes `claim.sql` fail, discard it first."""
    parameters = {
        "queues": list(call.queues),
        "limit": call.limit,
        "worker": call.worker,
        "lease": call.lease,
        "now": call.given,
    }
    try:
        claimed = _claim(execute, queries.claim, parameters)
    except BackendError as exc:
        if not isinstance(exc.__cause__, errors.NumericValueOutOfRange):
            raise
        _discard_damaged(execute, queries, call)
        claimed = _claim(execute, queries.claim, parameters)
    return sorted(rows.records(claimed), key=claiming_order)


def _discard_damaged(execute: Execute, queries: Queries, call: ClaimCall) -> None:
    parameters = {"now": call.given, **rows.error_columns(NO_ATTEMPT_LEFT)}
    for [id] in execute(queries.discard_damaged, parameters):
        logger.warning("job %s discarded: %s", id, NO_ATTEMPT_LEFT.message)


def _claim(execute: Execute, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
    limit = look = parameters["limit"]
    taken, found = _taken(execute(query, {**parameters, "look": look, "taken": []}))
    while len(taken) < limit and found == look:  # other clients hold some of the first jobs
        look *= 2
        more = {**parameters, "limit": limit - len(taken), "look": look, "taken": [row[0] for row in taken]}
        found = 0
        with _kept(taken):
            further, found = _taken(execute(query, more))
            taken += further
    return taken


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
