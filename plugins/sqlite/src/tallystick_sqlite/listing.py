"""Read one page of records, and count records. All statements of a call must see the same snapshot."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import assert_never

from tallystick import CLAIMABLE, FINAL, Filter, Order, Record, State
from tallystick.backends import selection
from tallystick.backends.calls import CountCall, ListCall
from tallystick.backends.times import micros

from . import candidates, matching, search
from .candidates import Candidates, has_only
from .queries import Queries
from .rows import Row, json_list

FEW = 5_000
"""Below this number of candidates, a page sorts those that match."""

NEIGHBOURS = 4
"""Reading this many neighbours costs as much as reading one record elsewhere."""

_SCANNED: dict[Order, tuple[str, ...]] = {"id": (), "finished_at": ("states",), "run_at": ("queues",)}
"""The fields of a filter for which the scan of each order skips no records."""

_COUNTED = ("states", "kinds", "queues")
"""The fields of a filter that the ledger has."""

_FIRST, _LAST = -(2**63), 2**63 - 1
_FIRST_TIME = -62_135_596_800_000_000  # as in list_by_finished_at.sql


def page(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Sequence[Record]:
    """Return the records of a page, in the order of the call."""
    if call.filter.ids is not None:
        return selection.page(matching.among(connection, queries, call.filter), call)
    ids = islice(_ids(connection, queries, call), call.limit)
    return [found for id in [*ids] if (found := matching.read(connection, queries, id)) is not None]


def _ids(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
    """Yield the ids of a page, and of the records behind it.

    It sorts the candidates if they are few: a scan in the order of the page might read all others to find them.
    """
    if not _may_match(call):
        return iter(())
    if has_only(call.filter, _SCANNED[call.order]):
        return _scanned(connection, queries, call)
    for found in _alternatives(connection, queries, call.filter):
        if _are_few(found, connection, queries):
            return _sorted(found.matching(connection, queries), call)
    return _scanned(connection, queries, call)


def _may_match(call: ListCall) -> bool:
    """Return whether a filter matches records that the order contains."""
    filter = call.filter
    match call.order:
        case "id":
            return True
        case "finished_at":
            return bool(matching.allowed(filter, FINAL))
        case "run_at":
            is_finished = filter.finished_since is not None or filter.finished_until is not None
            return bool(matching.allowed(filter, CLAIMABLE)) and not is_finished
        case _:
            assert_never(call.order)


def _alternatives(connection: sqlite3.Connection, queries: Queries, filter: Filter) -> Iterator[Candidates]:
    return candidates.alternatives(filter, has_search=search.exists(connection, queries))


def _are_few(found: Candidates, connection: sqlite3.Connection, queries: Queries) -> bool:
    few = FEW * NEIGHBOURS if found.are_neighbours else FEW
    return found.count(connection, queries, few) < few


def _sorted(rows: Iterable[Row], call: ListCall) -> Iterator[bytes]:
    match call.order:
        case "id":
            below = matching.ABOVE_ALL if call.after is None else call.after.bytes
            return iter(sorted((row[0] for row in rows if row[0] < below), reverse=True))
        case "finished_at":
            last = _position(call, _LAST, matching.ABOVE_ALL)
            places = ((row[2], row[0]) for row in rows if row[4] in FINAL and row[2] is not None)
            later = sorted((place for place in places if place[0] >= _FIRST_TIME and place < last), reverse=True)
            return (id for _, id in later)
        case "run_at":
            first = _position(call, _FIRST, b"")
            places = ((row[3], row[0]) for row in rows if row[4] in CLAIMABLE)
            return (id for _, id in sorted(place for place in places if place > first))
        case _:
            assert_never(call.order)


def _scanned(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
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
    after_time, after = _position(call, _LAST, matching.ABOVE_ALL)
    if call.filter.finished_until is not None:
        after_time, after = min((after_time, after), (micros(call.filter.finished_until), b""))
    position = {**matching.parameters(call.filter), "after_time": after_time, "after": after}
    finals = matching.allowed(call.filter, FINAL)
    if _needs_an_error(call):
        rows = connection.execute(queries.list_failed_by_finished_at, {**position, "finals": json_list(finals)})
        return (row[0] for row in matching.with_text(rows, call.filter))
    branches = [connection.execute(queries.list_by_finished_at, {**position, "state": state}) for state in finals]
    return (row[0] for row in merge(*branches, key=itemgetter(2, 0), reverse=True))


def _by_run_at(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
    """Yield ids, the earliest run_at first."""
    is_for_retries = State.PENDING not in matching.allowed(call.filter, CLAIMABLE)
    query = queries.list_failed_by_run_at if _needs_an_error(call) or is_for_retries else queries.list_by_run_at
    after_time, after = _position(call, _FIRST, b"")
    position = {**matching.parameters(call.filter), "after_time": after_time, "after": after}
    return (row[0] for row in matching.with_text(connection.execute(query, position), call.filter))


def _needs_an_error(call: ListCall) -> bool:
    return call.filter.error_types is not None or call.filter.error_text is not None


def _position(call: ListCall, time: int, id: bytes) -> tuple[int, bytes]:
    """Return the time and the id behind which a page begins; the first page begins behind those given."""
    if call.after is None or call.after_time is None:
        return time, id
    return micros(call.after_time), call.after.bytes


def count(connection: sqlite3.Connection, queries: Queries, call: CountCall) -> int:
    """Return the number of matching records, at most `at_most`."""
    filter = call.filter
    if filter.ids is not None:
        return min(call.at_most, sum(1 for _ in matching.among(connection, queries, filter)))
    if filter.error_text is not None:
        ids = matching.newest(connection, queries, filter, matching.ABOVE_ALL)
        return sum(1 for _ in islice(ids, call.at_most))
    has_search = search.exists(connection, queries)
    if has_search and has_only(filter, _COUNTED):
        [number] = connection.execute(
            queries.count_ledger, {**matching.parameters(filter), "at_most": call.at_most}
        ).fetchone()
        return int(number)
    found = [*candidates.alternatives(filter, has_search=has_search)]
    if found[0].are_exact:
        return found[0].count(connection, queries, call.at_most)
    few = (each for each in found[:-1] if _are_few(each, connection, queries))
    return next(few, found[0]).count_matching(connection, queries, call.at_most)
