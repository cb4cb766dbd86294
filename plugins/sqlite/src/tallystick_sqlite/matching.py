"""Find the records that match a filter, to list, count or change them one by one."""

import json
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Set
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from tallystick import Failure, Filter, Record, State
from tallystick.backends.calls import ChangeCall, UpdateCall
from tallystick.backends.times import micros

from .queries import Queries
from .rows import Parameters, Row, json_list, record, record_with_errors

ABOVE_ALL = b"\xff" * 17
"""A value behind every id."""

ALL_STATES = frozenset(State)

_LISTS = ("kinds", "queues", "tags", "error_types", "workers", "unique_keys")
_TIMES = ("created_since", "created_until", "finished_since", "finished_until")


_NO_VALUES: Parameters = {}


class Change(NamedTuple):
    """A statement that changes the record with an id, the states in which it may change one, and its other values.

    If the statement does not change a record, and `unblock` then changes another, the statement is executed again.
    """

    statement: str
    states: Set[State]
    values: Parameters = _NO_VALUES
    unblock: str | None = None


def get(connection: sqlite3.Connection, queries: Queries, id: bytes) -> Record | None:
    """Return the record with this id and its errors, or None."""
    row = connection.execute(queries.get, {"id": id}).fetchone()
    return None if row is None else record_with_errors(row)


def read(connection: sqlite3.Connection, queries: Queries, id: bytes) -> Record | None:
    """Return the record with this id without its errors, or None."""
    row = connection.execute(queries.read, {"id": id}).fetchone()
    return None if row is None else record(row)


def among(connection: sqlite3.Connection, queries: Queries, filter: Filter) -> Iterator[Record]:
    """Yield the records that match a filter with ids, newest first. The caller may change each before the next."""
    rest = replace(filter, ids=None)
    for id in sorted({id.bytes for id in filter.ids or ()}, reverse=True):
        if (found := read(connection, queries, id)) is not None and rest.fits(found):
            yield found


def change(
    connection: sqlite3.Connection,
    queries: Queries,
    change: Change,
    call: ChangeCall | UpdateCall,
) -> list[UUID]:
    """Change up to `limit` matching records, one at a time; return the ids of those that changed."""
    parameters = {"now": micros(call.now), **change.values}
    narrowed = replace(call.filter, states=allowed(call.filter, change.states))
    with closing(_ids(connection, queries, narrowed)) as ids:
        changed = (id for id in ids if _changes(connection, change, {**parameters, "id": id}))
        return [UUID(bytes=id) for id in islice(changed, call.limit)]


def _changes(connection: sqlite3.Connection, change: Change, parameters: Parameters) -> bool:
    def changes(statement: str) -> bool:
        return connection.execute(statement, parameters).rowcount == 1

    return changes(change.statement) or (
        change.unblock is not None and changes(change.unblock) and changes(change.statement)
    )


def _ids(connection: sqlite3.Connection, queries: Queries, filter: Filter) -> Generator[bytes, None, None]:
    """Yield the ids of the records that match a filter, newest first. The caller may change each before the next."""
    if filter.ids is not None:
        yield from (found.id.bytes for found in among(connection, queries, filter))
    else:
        yield from newest(connection, queries, filter, ABOVE_ALL)


def newest(connection: sqlite3.Connection, queries: Queries, filter: Filter, below: bytes) -> Iterator[bytes]:
    """Yield the ids below `below` of the records that match a filter without ids, newest first."""
    rows = connection.execute(_by_id(queries, filter), {**parameters(filter), "below": below})
    return (row[0] for row in with_text(rows, filter))


def _by_id(queries: Queries, filter: Filter) -> str:
    """Return the statement that reads the fewest records."""
    if filter.unique_keys is not None:
        return queries.list_by_unique_key
    if filter.error_types is not None:
        return queries.list_by_error_type
    return queries.list if filter.error_text is None else queries.list_by_error


def allowed(filter: Filter, states: Collection[State]) -> list[State]:
    """Return those of some states that a filter matches."""
    return [state for state in State if state in states and (filter.states is None or state in filter.states)]


def parameters(filter: Filter) -> Parameters:
    """Return the parameters of a filter's fields, except for ids. A NULL list matches every record."""
    return {
        "states": json_list(allowed(filter, ALL_STATES)),
        **{name: json_list(getattr(filter, name)) for name in _LISTS},
        **{name: None if (value := getattr(filter, name)) is None else micros(value) for name in _TIMES},
        "error_part": None if filter.error_text is None else json.dumps(filter.error_text)[1:-1],
    }


def with_text(rows: Iterable[Row], filter: Filter) -> Iterator[Row]:
    """Yield the rows of records with `error_text` in the type or message of their error, which is the second column.

    SQL cannot decode NUL and lone surrogates. It only finds the text anywhere in the JSON, such as in a traceback.
    """
    if filter.error_text is None:
        yield from rows
        return
    for row in rows:
        error = Failure.from_json(row[1])
        if filter.error_text in error.type or filter.error_text in error.message:
            yield row
