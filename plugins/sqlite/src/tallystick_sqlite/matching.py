"""Find the records that match a filter, to list or change them one by one."""

import builtins
import sqlite3
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from uuid import UUID

from tallystick import Filter, Record, State
from tallystick.backends.calls import ChangeCall, ListCall
from tallystick.backends.times import micros

from .queries import Queries
from .rows import json_list, record

_ABOVE_ALL = b"\xff" * 17


def get(connection: sqlite3.Connection, queries: Queries, id: bytes) -> Record | None:
    """Return the record with this id, or None."""
    row = connection.execute(queries.get, {"id": id}).fetchone()
    return None if row is None else record(row)


def list(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Sequence[Record]:
    """Return one page of matching records, newest first. All statements must see the same snapshot."""
    ids = builtins.list(islice(matching(connection, queries, call.filter, set(State), call.after), call.limit))
    return [found for id in ids if (found := get(connection, queries, id)) is not None]


def change(
    connection: sqlite3.Connection, queries: Queries, statement: str, call: ChangeCall, states: Collection[State]
) -> Sequence[UUID]:
    """Execute a statement for each matching record in some states, until it has changed `limit` of them."""
    cursor = connection.cursor()
    now = micros(call.now)
    with closing(matching(connection, queries, call.filter, states)) as found:
        changed = (id for id in found if cursor.execute(statement, {"id": id, "now": now}).rowcount == 1)
        return [UUID(bytes=id) for id in islice(changed, call.limit)]


def matching(
    connection: sqlite3.Connection,
    queries: Queries,
    filter: Filter,
    states: Collection[State],
    after: UUID | None = None,
) -> Generator[bytes, None, None]:
    """Yield the ids of the records in some states that match a filter, newest first.

    The caller may change a record before it takes the next id.
    """
    below = _ABOVE_ALL if after is None else after.bytes
    allowed = [state for state in states if filter.states is None or state in filter.states]
    if filter.ids is not None:
        yield from _among(connection, queries, filter.ids, replace(filter, ids=None, states=allowed), below)
        return
    parameters = {
        "below": below,
        "states": json_list(allowed),
        "kinds": json_list(filter.kinds),
        "queues": json_list(filter.queues),
        "tags": json_list(filter.tags),
    }
    for [id] in connection.execute(queries.list, parameters):
        yield id


def _among(
    connection: sqlite3.Connection, queries: Queries, ids: Sequence[UUID], filter: Filter, below: bytes
) -> Iterator[bytes]:
    for id in sorted({id.bytes for id in ids}, reverse=True):
        if id < below and (found := get(connection, queries, id)) is not None and filter.fits(found):
            yield id
