"""Find the records that match a filter, to list, count or change them one by one."""

import json
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence, Set
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from tallystick import Failure, Filter, Record, State
from tallystick.backends.calls import ChangeCall, UpdateCall
from tallystick.backends.times import micros

from .queries import ID_TOLERANCE, PROMPT_HOURS, Queries
from .rows import Parameters, Row, json_list, record, record_with_details

PROMPT = PROMPT_HOURS * 3_600_000_000
"""Microseconds within which most jobs finish after they were created."""

_TOLERANCE = 1_000 * ID_TOLERANCE + 1

ABOVE_ALL = b"\xff" * 17
"""A value behind every id."""

EVERY_ID = (b"", ABOVE_ALL)

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


def get(connection: sqlite3.Connection, queries: Queries, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Return the records with these ids that exist, with their errors and their progress."""
    found = {id: connection.execute(queries.get, {"id": id.bytes}).fetchone() for id in ids}
    return {id: record_with_details(row) for id, row in found.items() if row is not None}


def read(connection: sqlite3.Connection, queries: Queries, id: bytes) -> Record | None:
    """Return the record with this id without its errors and its progress, or None."""
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
    lowest, highest = _prompt_id_range(filter)
    asked = {**parameters(filter), "below": below, "lowest_id": lowest, "highest_id": highest}
    query = _by_id(queries, filter)
    if query is queries.list and (lowest, highest) != EVERY_ID:
        within = connection.execute(query, {**asked, "below": min(below, highest)})
        others = connection.execute(queries.list_by_other_id, asked)
        late = _late(connection, queries, filter, asked)
        return (row[0] for row in merge(within, others, late, key=itemgetter(0), reverse=True))
    return (row[0] for row in with_text(connection.execute(query, asked), filter))


def _late(connection: sqlite3.Connection, queries: Queries, filter: Filter, asked: Parameters) -> Iterable[Row]:
    """Return the rows of the records below the range of ids, newest first: they finished late."""
    if filter.finished_since is None:
        return ()
    return connection.execute(
        queries.list_late_by_id, {**asked, "prompt_created": micros(filter.finished_since) - PROMPT}
    )


def id_range(filter: Filter) -> tuple[bytes, bytes]:
    """Return the range of the ids of UUIDv7 that the times of a filter allow."""
    ends = [time for time in (filter.created_until, filter.finished_until) if time is not None]
    lowest = b"" if filter.created_since is None else _id_at(filter.created_since, -_TOLERANCE)
    return lowest, _id_at(min(ends), _TOLERANCE) if ends else ABOVE_ALL


def _prompt_id_range(filter: Filter) -> tuple[bytes, bytes]:
    """Return the range of the ids of UUIDv7 that the times of a filter allow if the job finished within the hour."""
    lowest, highest = id_range(filter)
    if filter.finished_since is not None:
        lowest = max(lowest, _id_at(filter.finished_since, -PROMPT // 1_000 - _TOLERANCE))
    return lowest, highest


def _id_at(moment: datetime, shift: int) -> bytes:
    milliseconds = micros(moment) // 1_000 + shift
    return min(max(milliseconds, 0), 2**48 - 1).to_bytes(6, "big") + bytes(10)


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
        "error_part": error_part(filter),
    }


def error_part(filter: Filter) -> str | None:
    """Return the text of errors that a filter matches as a part of their JSON, or None."""
    return None if filter.error_text is None else json.dumps(filter.error_text)[1:-1]


def with_text(rows: Iterable[Row], filter: Filter) -> Iterator[Row]:
    """Yield the rows of records with `error_text` in the type or message of their error: its words are in column 2.

    SQL cannot decode NUL and lone surrogates. It only finds the text anywhere in the JSON, such as in an escape.
    """
    if filter.error_text is None:
        yield from rows
        return
    for row in rows:
        error = _error(row[1])
        if filter.error_text in error.type or filter.error_text in error.message:
            yield row


def _error(words: str) -> Failure:
    """Return an error without its traceback."""
    text = f'{words}", "traceback": ""}}'
    error = Failure.from_json(text)
    return error if error.message != text else Failure.from_json(words)  # not written by Tallystick
