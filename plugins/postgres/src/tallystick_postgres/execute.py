"""Execute statements in a transaction of the backend or of the caller."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, Protocol

from psycopg import Cursor

from .rows import Row


class Execute(Protocol):
    """A function that executes a statement of `Queries` and returns its rows."""

    def __call__(self, query: LiteralString, parameters: Mapping[str, Any], /) -> Sequence[Row]:
        """Execute a statement; return its rows."""


def on(cursor: Cursor[Row]) -> Execute:
    """Return a function that executes statements on a cursor."""

    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return cursor.execute(query, parameters).fetchall()

    return execute
