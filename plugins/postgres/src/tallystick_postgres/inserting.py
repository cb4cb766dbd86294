"""Insert a batch of new jobs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import Inserted, NewRecord
from tallystick.backends import keys
from tallystick.backends.calls import InsertCall

from . import duplicates, rows
from .execute import Execute
from .queries import Queries

STATEMENT_BYTES = 64 * 1024 * 1024
"""The most bytes of payloads in one statement. PostgreSQL's limit is one gigabyte for a whole message."""


def insert(execute: Execute, queries: Queries, call: InsertCall) -> Sequence[Inserted]:
    """Insert new jobs in the transaction of `execute`; return a result for each, in order."""
    results: dict[int, Inserted] = {}
    waiting = dict(enumerate(call.records))
    while waiting:
        some = dict(_first(waiting))
        stored = insert_new(execute, queries, list(some.values()), call.given)
        results.update({n: stored[new.id] for n, new in some.items() if new.id in stored})
        if rest := {n: new for n, new in some.items() if n not in results}:
            results.update(duplicates.meet(execute, queries, call, rest))
        waiting = {n: new for n, new in waiting.items() if n not in results}
    return [results[n] for n in range(len(call.records))]


def is_one_statement(call: InsertCall) -> bool:
    """Return whether an insert changes the store in one statement only."""
    return len(call.records) == 1 and call.records[0].on_conflict == "skip"


def _first(records: dict[int, NewRecord]) -> Iterator[tuple[int, NewRecord]]:
    """Yield the records of the next statement: up to its size limit, and stop before an id that occurs again."""
    ids: set[UUID] = set()
    size = 0
    for n, new in records.items():
        if new.id in ids or (ids and size + len(new.payload) > STATEMENT_BYTES):
            return
        ids.add(new.id)
        size += len(new.payload)
        yield n, new


def add(execute: Execute, queries: Queries, records: Sequence[NewRecord], now: datetime | None) -> None:
    """Insert new jobs with distinct ids in the transaction of `execute`; skip duplicates."""
    waiting = dict(enumerate(records))
    while waiting:
        some = dict(_first(waiting))
        stored = insert_new(execute, queries, list(some.values()), now)
        keys = [new.unique_key for new in some.values() if new.id not in stored and new.unique_key is not None]
        if not keys or not execute(queries.free_keys, {"keys": keys, "now": now}):
            waiting = {n: new for n, new in waiting.items() if n not in some}


def insert_new(
    execute: Execute, queries: Queries, records: Sequence[NewRecord], now: datetime | None = None
) -> dict[UUID, Inserted]:
    """Insert jobs with distinct ids by one statement; return the results of those that it stored, by id."""
    new = {record.id: record for record in records}
    if len(records) == 1:
        found = execute(queries.insert_one, {"now": now, **_values(records[0])})
    else:
        found = execute(queries.insert, {"now": now, **columns(records)})
    return {
        id: Inserted(new[id].stored(rows.moment(created_at), rows.moment(run_at)), created=True)
        for id, created_at, run_at in found
    }


def columns(records: Sequence[NewRecord]) -> dict[str, Any]:
    """Return the parameters of `insert.sql`: one list of values for each column."""
    return {
        **{name: rows.array([getattr(new, name) for new in records]) for name in rows.NEW_COLUMNS},
        "unique_until": [keys.to_text(new.unique_until) for new in records],
        "meta": rows.array([rows.meta(new.meta) for new in records]),
        "run_at": rows.array([new.run_at if isinstance(new.run_at, datetime) else None for new in records]),
        "delay": rows.array([new.run_at if isinstance(new.run_at, timedelta) else None for new in records]),
        "tags": [rows.tags(new.tags) for new in records],
    }


def _values(new: NewRecord) -> dict[str, Any]:
    """Return the parameters of `insert_one.sql`: one value for each column."""
    return {
        **{name: getattr(new, name) for name in rows.NEW_COLUMNS},
        "unique_until": keys.to_text(new.unique_until),
        "meta": rows.meta(new.meta),
        "run_at": new.run_at if isinstance(new.run_at, datetime) else None,
        "delay": new.run_at if isinstance(new.run_at, timedelta) else None,
        "tags": [*new.tags],
    }
