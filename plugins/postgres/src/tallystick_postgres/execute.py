"""Execute statements in a transaction of the backend or of the caller."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, Protocol

from psycopg import Cursor

from .queries import Queries
from .rows import Row, moment


class Execute(Protocol):
    """A function that executes a statement of `Queries` and returns its rows."""

    def __call__(self, query: LiteralString, parameters: Mapping[str, Any], /) -> Sequence[Row]:
        """Execute a statement; return its rows."""


def on(cursor: Cursor[Row], prepared: Collection[str] = ()) -> Execute:
    """Return a function that executes statements on a cursor. It prepares those in `prepared` at their first use."""

    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return cursor.execute(query, parameters, prepare=query in prepared).fetchall()

    return execute


def clock(execute: Execute, queries: Queries, given: datetime | None) -> datetime:
    """Return the `now` of a call, by default the server's clock."""
    if given is not None:
        return given
    [[micros]] = execute(queries.clock, {"now": None})
    return moment(micros)
