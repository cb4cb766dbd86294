"""The optional indexes for searches, and the ledger of counts."""

import sqlite3

from .location import Location
from .queries import Queries

PARTS = 4
"""The number of optional indexes, with the ledger."""


def exists(connection: sqlite3.Connection, queries: Queries) -> bool:
    """Return whether the store has the optional indexes and the ledger."""
    return count(connection, queries) == PARTS


def count(connection: sqlite3.Connection, queries: Queries) -> int:
    """Return the number of optional indexes that exist; the ledger counts as one."""
    [number] = connection.execute(queries.has_search).fetchone()
    return int(number)


def statements(connection: sqlite3.Connection, location: Location) -> str | None:
    """Return the statements that create or drop the optional indexes as the URL requires, or None."""
    found, wanted = count(connection, location.queries), location.options.search
    if wanted and found < PARTS:
        return location.queries.create_search_indexes
    return location.queries.drop_search_indexes if wanted is False and found else None
