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
from .rows import Parameters, Row, json_list

Place = tuple[int, bytes]
"""The time and the id of a record, by which a page is ordered."""

FEW = 5_000
"""Below this number of candidates, a page sorts those that match."""

FEWEST = 1_000
"""Below this number of records in the states of a filter, a count reads all of them."""

NEIGHBOURS = 4
"""Counting this many neighbours costs as much as counting one record elsewhere."""

NEWEST = 1_000
"""The number of waiting jobs, the newest ones, in which a page by id first finds its jobs."""

FEW_WAITING = 100_000
"""Below this number of waiting jobs, a page of them by id reads all of them rather than the other records."""

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
    if _is_for_waiting(call) and _few_wait(connection, queries):
        return _waiting(connection, queries, call)
    for found in _alternatives(connection, queries, call.filter):
        if found.count(connection, queries, FEW) < FEW:
            return map(_id, _sorted(found.matching(connection, queries), call))
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


def _is_for_waiting(call: ListCall) -> bool:
    """Return whether a page by id has pending jobs, but none in a final state, and no field but states and queues."""
    states = {*matching.allowed(call.filter, matching.ALL_STATES)}
    return call.order == "id" and has_only(call.filter, ("states", "queues")) and {State.PENDING} <= states <= CLAIMABLE


def _few_wait(connection: sqlite3.Connection, queries: Queries) -> bool:
    waiting = candidates.by_state(Filter(states=[*CLAIMABLE]))
    return waiting.count(connection, queries, FEW_WAITING) < FEW_WAITING


def _waiting(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
    """Yield the ids of waiting jobs, newest first: search the newest jobs, and all of them if these are not enough."""
    below = matching.ABOVE_ALL if call.after is None else call.after.bytes
    asked = {**matching.parameters(call.filter), "below": below}
    newest = connection.execute(queries.list_waiting, {**asked, "look": max(NEWEST, call.limit)}).fetchall()
    rows = newest if len(newest) >= call.limit else connection.execute(queries.list_waiting, {**asked, "look": -1})
    return (id for [id] in rows)


def _are_few(found: Candidates, connection: sqlite3.Connection, queries: Queries) -> bool:
    few = FEW * NEIGHBOURS if found.are_neighbours else FEW
    return found.count(connection, queries, few) < few


def _sorted(rows: Iterable[Row], call: ListCall) -> list[Place]:
    """Return the places behind that of the call, in its order, of rows of `list_candidates.sql`."""
    match call.order:
        case "id":
            below = matching.ABOVE_ALL if call.after is None else call.after.bytes
            return sorted(((0, row[0]) for row in rows if row[0] < below), reverse=True)
        case "finished_at":
            last = _position(call, _LAST, matching.ABOVE_ALL)
            places = ((row[2], row[0]) for row in rows if row[4] in FINAL and row[2] is not None)
            return sorted((place for place in places if place[0] >= _FIRST_TIME and place < last), reverse=True)
        case "run_at":
            first = _position(call, _FIRST, b"")
            places = ((row[3], row[0]) for row in rows if row[4] in CLAIMABLE)
            return sorted(place for place in places if place > first)
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
    """Yield ids, the latest finished_at first: merge the records of each final state, and those that finished late."""
    filter = call.filter
    ends = [_position(call, _LAST, matching.ABOVE_ALL)]
    if filter.finished_until is not None:
        ends.append((micros(filter.finished_until), b""))
    finals = matching.allowed(filter, FINAL)
    position = {**matching.parameters(filter), "finals": json_list(finals), **_before(ends)}
    if _needs_an_error(call):
        rows = connection.execute(queries.list_failed_by_finished_at, position)
        return (row[0] for row in matching.with_text(rows, filter))
    since = None if filter.created_since is None else micros(filter.created_since)
    until = None if filter.created_until is None else micros(filter.created_until) + matching.PROMPT
    if until is not None:
        ends.append((until, b""))
    begins = [micros(time) for time in (filter.created_since, filter.finished_since) if time is not None]
    prompt = {**position, **_before(ends), "first_time": max(begins, default=_FIRST_TIME)}
    branches = [connection.execute(queries.list_by_finished_at, {**prompt, "state": state}) for state in finals]
    if since is not None or until is not None:
        late = {**position, "prompt_since": since, "prompt_until": until}
        branches.append(connection.execute(queries.list_late_by_finished_at, late))
    return (row[0] for row in merge(*branches, key=itemgetter(2, 0), reverse=True))


def _before(ends: Iterable[Place]) -> Parameters:
    time, id = min(ends)
    return {"after_time": time, "after": id}


def _by_run_at(connection: sqlite3.Connection, queries: Queries, call: ListCall) -> Iterator[bytes]:
    """Yield ids, the earliest run_at first."""
    filter = call.filter
    is_for_retries = State.PENDING not in matching.allowed(filter, CLAIMABLE)
    lowest, highest = matching.id_range(filter)
    after_time, after = _position(call, _FIRST, b"")
    position = {**matching.parameters(filter), "after_time": after_time, "after": after}
    asked = {**position, "below": matching.ABOVE_ALL, "lowest_id": lowest, "highest_id": highest}
    if _needs_an_error(call) or is_for_retries:
        rows = connection.execute(queries.list_failed_by_run_at, position)
        return (row[0] for row in matching.with_text(rows, filter))
    within = ((row[2], row[0]) for row in connection.execute(queries.list_by_run_at, asked))
    if (lowest, highest) == matching.EVERY_ID:
        return map(_id, within)
    others = _sorted(connection.execute(queries.list_by_other_id, asked), call)
    return map(_id, merge(within, others))


def _id(place: Place) -> bytes:
    return place[1]


def _needs_an_error(call: ListCall) -> bool:
    return call.filter.error_types is not None or call.filter.error_text is not None


def _position(call: ListCall, time: int, id: bytes) -> Place:
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
    return _smallest(found, connection, queries).count_matching(connection, queries, call.at_most)


def _smallest(found: Sequence[Candidates], connection: sqlite3.Connection, queries: Queries) -> Candidates:
    """Return the candidates to count. The last ones are those of the states; a count of these is cheap."""
    *selective, by_state = found
    if not selective or by_state.count(connection, queries, FEWEST) < FEWEST:
        return by_state
    few = (each for each in selective if _are_few(each, connection, queries))
    return selective[0] if len(selective) == 1 else next(few, selective[0])
