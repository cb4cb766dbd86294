"""Insert a batch of new jobs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from operator import attrgetter, is_
from typing import Any, TypeGuard

from psycopg import Cursor, Pipeline
from tallystick import Inserted, NewRecord
from tallystick.backends import calls, keys
from tallystick.backends.calls import InsertCall
from tallystick.backends.lazy_records import LazyRecords

from . import duplicates, rows
from .capabilities import CAPABILITIES
from .execute import Execute, on
from .queries import Queries
from .rows import Row

STATEMENT_BYTES = 64 * 1024 * 1024
"""The most bytes of payloads in one statement. PostgreSQL's limit is one gigabyte for a whole message."""

PART = 250
"""The most jobs of one statement, while the records of further jobs are made."""


def insert(execute: Execute, queries: Queries, call: InsertCall) -> Sequence[Inserted]:
    """Insert new jobs in the transaction of `execute`; return a result for each, in order."""
    return _insert_missing(execute, queries, call, [None] * len(call.records))


def insert_in_parts(cursor: Cursor[Row], queries: Queries, records: LazyRecords) -> Sequence[Inserted]:
    """Insert new jobs in a transaction. The server stores each part while the records of the next one are made."""
    connection, sent = cursor.connection, []
    with connection.pipeline():
        for part in records.parts(PART):
            waiting = calls.insert(part, CAPABILITIES).records
            while waiting:
                some, waiting = waiting[: (size := _fitting(waiting))], waiting[size:]
                statement = connection.cursor(binary=True)
                statement.execute(queries.insert_batch, {"now": None, **columns(some)}, prepare=True)
                sent.append((some, statement))
        results = [result for some, statement in sent for result in _results(some, statement.fetchall())]
    if None in results:
        return _insert_missing(on(cursor), queries, calls.insert(records, CAPABILITIES), results)
    return [result for result in results if result is not None]


def can_insert_in_parts(records: Sequence[NewRecord]) -> TypeGuard[LazyRecords]:
    """Return whether a batch is made lazily, and has several parts. One that is too large is for `insert` to reject."""
    is_lazy = isinstance(records, LazyRecords) and PART < len(records) <= CAPABILITIES.max_batch
    return is_lazy and Pipeline.is_supported()


def _insert_missing(
    execute: Execute, queries: Queries, call: InsertCall, results: list[Inserted | None]
) -> Sequence[Inserted]:
    """Insert the jobs whose result is None, and return all results."""
    while waiting := [n for n, result in enumerate(results) if result is None]:
        some = waiting[: _fitting([call.records[n] for n in waiting])]
        stored = insert_new(execute, queries, [call.records[n] for n in some], call.given)
        for n, result in zip(some, stored, strict=True):
            results[n] = result
        if rest := {n: call.records[n] for n in some if results[n] is None}:
            for n, met in duplicates.meet(execute, queries, call, rest).items():
                results[n] = met
    return [result for result in results if result is not None]


def is_one_statement(call: InsertCall) -> bool:
    """Return whether an insert changes the store in one statement only."""
    return len(call.records) == 1 and call.records[0].on_conflict == "skip"


def _fitting(records: Sequence[NewRecord]) -> int:
    """Return how many of the first records one statement inserts: up to its size limit, and each id once."""
    ids: set[int] = set()
    size = 0
    for n, new in enumerate(records):
        id, size = new.id.int, size + len(new.payload)  # the hash of a UUID would take longer
        if id in ids or (ids and size > STATEMENT_BYTES):
            return n
        ids.add(id)
    return len(records)


def add(execute: Execute, queries: Queries, records: Sequence[NewRecord], now: datetime | None) -> None:
    """Insert new jobs with distinct ids in the transaction of `execute`; skip duplicates."""
    waiting = records
    while waiting:
        some = waiting[: _fitting(waiting)]
        stored = insert_new(execute, queries, some, now)
        left = [new for new, result in zip(some, stored, strict=True) if result is None]
        keys = [new.unique_key for new in left if new.unique_key is not None]
        if not keys or not execute(queries.free_keys, {"keys": keys, "now": now}):
            waiting = waiting[len(some) :]


def insert_new(
    execute: Execute, queries: Queries, records: Sequence[NewRecord], now: datetime | None = None
) -> Sequence[Inserted | None]:
    """Insert jobs with distinct ids by one statement; return a result for each, in order, None if it was skipped."""
    if len(records) == 1:
        found = execute(queries.insert_one, {"now": now, **_values(records[0])})
        return [Inserted(records[0].stored(rows.moment(at)), created=True) for [at] in found] or [None]
    return _results(records, execute(queries.insert_batch, {"now": now, **columns(records)}))


def _results(records: Sequence[NewRecord], found: Sequence[Row]) -> Sequence[Inserted | None]:
    """Return the results of the jobs of an `insert_batch.sql`."""
    number, at, _ = found[0]
    if number == 0:
        return [None] * len(records)
    created_at = rows.moment(at)
    if number == len(records):
        return [Inserted(new.stored(created_at), created=True) for new in records]
    ids = {id for _, _, id in found}
    return [Inserted(new.stored(created_at), created=True) if new.id in ids else None for new in records]


def columns(records: Sequence[NewRecord]) -> dict[str, Any]:
    """Return the parameters of `insert.sql`: for each column the value that all jobs share, or a list of values."""
    parameters = _values(records[0]) if records else {}
    for name, attribute in _ATTRIBUTES.items():
        each = [*map(attrgetter(attribute), records)]
        if each and name != "id" and all(map(is_, each, repeat(each[0]))):  # faster than to compare the values
            parameters[f"each_{name}"] = None
        else:
            parameters[name] = None
            parameters[f"each_{name}"] = [*map(_IN_LISTS[name], each)] if name in _IN_LISTS else each
    return parameters


def _values(new: NewRecord) -> dict[str, Any]:
    """Return the parameters of `insert_one.sql`: one value for each column."""
    return {
        **{name: getattr(new, name) for name in rows.NEW_COLUMNS},
        "unique_until": keys.to_text(new.unique_until),
        "meta": rows.meta(new.meta),
        "run_at": _time(new.run_at),
        "delay": _delay(new.run_at),
        "tags": [*new.tags],
    }


def _time(run_at: datetime | timedelta | None) -> datetime | None:
    return run_at if isinstance(run_at, datetime) else None


def _delay(run_at: datetime | timedelta | None) -> timedelta | None:
    return run_at if isinstance(run_at, timedelta) else None


_ATTRIBUTES = {**{name: name for name in rows.NEW_COLUMNS}, "run_at": "run_at", "delay": "run_at", "tags": "tags"}
"""The attribute of a new record for each parameter."""

_IN_LISTS: Mapping[str, Callable[[Any], object]] = {
    "unique_until": keys.to_text,
    "meta": rows.meta,
    "run_at": _time,
    "delay": _delay,
    "tags": rows.tags,
}
"""The functions that convert a value to an item of a list, for parameters that need it."""
