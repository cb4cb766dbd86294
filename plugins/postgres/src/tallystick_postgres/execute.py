"""How a statement is executed in a transaction, whosever it is."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, Protocol

from psycopg import Cursor

from .rows import Row


class Execute(Protocol):
    """Executes a statement of `Queries` and returns its rows."""

    def __call__(self, query: LiteralString, parameters: Mapping[str, Any], /) -> Sequence[Row]:
        """Execute."""


def on(cursor: Cursor[Row]) -> Execute:
    """Return what executes on a cursor."""

    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return cursor.execute(query, parameters).fetchall()

    return execute
