"""Find the records that match a filter."""

import sqlite3
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from tallystick import Filter, Record, State

from . import queries, rows

_ABOVE_ALL = b"\xff" * 17


def get(connection: sqlite3.Connection, id: bytes) -> Record | None:
    """Return the record with this id, or None."""
    row = connection.execute(queries.GET, {"id": id}).fetchone()
    return None if row is None else rows.record(row)


def matching(
    connection: sqlite3.Connection, filter: Filter, *, states: Collection[State], after: UUID | None = None
) -> Generator[bytes, None, None]:
    """Yield the ids of the records in some states that match a filter, newest first.

    The caller may change a record before it takes the next id.
    """
    below = _ABOVE_ALL if after is None else after.bytes
    allowed = [state for state in states if filter.states is None or state in filter.states]
    if filter.ids is not None:
        yield from _among(connection, filter.ids, replace(filter, ids=None, states=allowed), below)
        return
    parameters = {
        "below": below,
        "states": rows.json_list(allowed),
        "kinds": rows.json_list(filter.kinds),
        "queues": rows.json_list(filter.queues),
        "tags": rows.json_list(filter.tags),
    }
    for [id] in connection.execute(queries.LIST, parameters):
        yield id


def _among(connection: sqlite3.Connection, ids: Sequence[UUID], filter: Filter, below: bytes) -> Iterator[bytes]:
    for id in sorted({id.bytes for id in ids}, reverse=True):
        if id < below and (record := get(connection, id)) is not None and filter.fits(record):
            yield id
