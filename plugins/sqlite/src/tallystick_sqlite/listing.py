"""Read one page of records, and count records. All statements of a call must see the same snapshot."""

import sqlite3
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import assert_never

from tallystick import CLAIMABLE, FINAL, Record, State
from tallystick.backends import selection
from tallystick.backends.calls import CountCall, ListCall
from tallystick.backends.times import micros

from . import matching
from .queries import Queries
from .rows import Parameters, Row, json_list

_FIRST, _LAST = -(2**63), 2**63 - 1


def page(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Sequence[Record]:
    """Return the records of a page, in the order of the call."""
    if call.filter.ids is not None:
        return selection.page(matching.among(connection, queries, call.filter), call)
    ids = islice(_ids(connection, queries, call), call.limit)
    return [found for id in [*ids] if (found := matching.read(connection, queries, id)) is not None]


def _ids(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
    match call.order:
        case "id":
            below = matching.ABOVE_ALL if call.after is None else call.after.bytes
            return matching.newest(connection, queries, call.filter, below)
        case "finished_at":
            return _by_finished_at(connection, queries, call)
        case "run_at":
            return _by_run_at(connection, queries, call)
        case _:
            assert_never(call.order)


def _by_finished_at(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
    """Yield ids, the latest finished_at first: merge the records of each final state."""
    position = {**matching.parameters(call.filter), **_position(call, _LAST, matching.ABOVE_ALL)}

    def finished(state: State) -> Iterator[Row]:
        # a discarded job has an error, so the index of errors would not save any reads
        by_error = _needs_an_error(call) and state is not State.DISCARDED
        query = queries.list_failed_by_finished_at if by_error else queries.list_by_finished_at
        return matching.with_text(connection.execute(query, {**position, "state": state}), call.filter)

    branches = [finished(state) for state in matching.allowed(call.filter, FINAL)]
    return (row[0] for row in merge(*branches, key=itemgetter(2, 0), reverse=True))


def _by_run_at(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
    """Yield ids, the earliest run_at first."""
    query = queries.list_failed_by_run_at if _needs_an_error(call) else queries.list_by_run_at
    position = {**matching.parameters(call.filter), **_position(call, _FIRST, b"")}
    return (row[0] for row in matching.with_text(connection.execute(query, position), call.filter))


def _needs_an_error(call: ListCall) -> bool:
    return call.filter.error_types is not None or call.filter.error_text is not None


def _position(call: ListCall, time: int, id: bytes) -> Parameters:
    """Return the time and the id behind which a page begins; the first page begins behind those given."""
    if call.after is None or call.after_time is None:
        return {"after_time": time, "after": id}
    return {"after_time": micros(call.after_time), "after": call.after.bytes}


def count(connection: sqlite3.Connection, queries: Queries, call: CountCall) -> int:
    """Return the number of matching records, at most `at_most`."""
    filter = call.filter
    if filter.ids is not None:
        return min(call.at_most, sum(1 for _ in matching.among(connection, queries, filter)))
    if filter.error_text is not None:
        found = matching.newest(connection, queries, filter, matching.ABOVE_ALL)
        return sum(1 for _ in islice(found, call.at_most))
    parameters = {**matching.parameters(filter), **_indexes(call), "at_most": call.at_most}
    [number] = connection.execute(queries.count, parameters).fetchone()
    return int(number)


def _indexes(call: CountCall) -> Parameters:
    """Return the parameters that choose the indexes to read."""
    filter = call.filter
    by_keys, by_types = filter.unique_keys is not None, filter.error_types is not None
    states = [] if by_keys or by_types else matching.allowed(filter, State)
    if filter.finished_since is not None or filter.finished_until is not None:
        states = [state for state in states if state in FINAL]
    return {
        "waiting": any(state in CLAIMABLE for state in states),
        "running": State.RUNNING in states,
        "finals": json_list(state for state in states if state in FINAL),
        "by_error_types": json_list(filter.error_types) if by_types and not by_keys else None,
        "by_unique_keys": json_list(filter.unique_keys),
    }
