"""Insert a batch of new jobs, and find the stored duplicates of those that were not inserted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import Inserted, Meta, NewRecord, Record
from tallystick.backends.calls import InsertCall

from . import rows
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
        stored = _store(execute, queries, list(some.values()), call.given)
        results.update({n: Inserted(stored[new.id], created=True) for n, new in some.items() if new.id in stored})
        duplicates = _duplicates(execute, queries, [new for n, new in some.items() if n not in results])
        for n, new in some.items():
            holder = duplicates.get(new.id) or duplicates.get(new.unique_key)
            if n not in results and holder is not None:
                results[n] = Inserted(holder, created=False)
        waiting = {n: new for n, new in waiting.items() if n not in results}
    return [results[n] for n in range(len(call.records))]


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
        _store(execute, queries, list(some.values()), now)
        waiting = {n: new for n, new in waiting.items() if n not in some}


def _store(
    execute: Execute, queries: Queries, records: Sequence[NewRecord], now: datetime | None
) -> dict[UUID, Record]:
    new = {record.id: record for record in records}
    found = execute(queries.insert, {"now": now, **columns(records)})
    return {id: new[id].stored(rows.moment(created_at), rows.moment(run_at)) for id, created_at, run_at in found}


def columns(records: Sequence[NewRecord]) -> dict[str, Any]:
    """Return the parameters of `insert.sql`: one list of values for each column."""
    return {
        **{name: rows.array([getattr(new, name) for new in records]) for name in rows.NEW_COLUMNS},
        "meta": rows.array([_json(new.meta) for new in records]),
        "run_at": rows.array([new.run_at if isinstance(new.run_at, datetime) else None for new in records]),
        "delay": rows.array([new.run_at if isinstance(new.run_at, timedelta) else None for new in records]),
        "tags": [rows.tags(new.tags) for new in records],
    }


def _json(meta: Mapping[str, str]) -> str | None:
    return meta.to_json() if meta and isinstance(meta, Meta) else None


def _duplicates(execute: Execute, queries: Queries, records: Iterable[NewRecord]) -> dict[UUID | str | None, Record]:
    """Return the stored duplicates of some records, by id and by the unique key that they hold."""
    ids = [new.id for new in records]
    keys = [new.unique_key for new in records if new.unique_key is not None]
    if not ids:
        return {}
    found: dict[UUID | str | None, Record] = {}
    for row in execute(queries.duplicates, {"ids": ids, "keys": keys}):
        holder = rows.record(row)
        if row[-1]:
            found[holder.unique_key] = holder
        found[holder.id] = holder
    return found
