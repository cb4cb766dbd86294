"""Insert new jobs, or change the stored jobs that hold their unique keys."""

import sqlite3
from collections.abc import Sequence

from tallystick import Inserted, NewRecord, Record
from tallystick.backends import keys

from . import rows
from .queries import Queries
from .rows import Parameters

New = tuple[NewRecord, Record]
"""A new job, and the record to store for it."""


def insert(cursor: sqlite3.Cursor, queries: Queries, jobs: Sequence[New]) -> Sequence[Inserted]:
    """Insert new jobs in the transaction of a cursor; return a result for each, in order."""
    results = [_insert(cursor, queries, new, record) for new, record in jobs]
    for queue in {result.record.queue for result in results if result.created}:
        cursor.execute(queries.add_queue, {"queue": queue})
    return results


def _insert(cursor: sqlite3.Cursor, queries: Queries, new: NewRecord, record: Record) -> Inserted:
    parameters = rows.insertion(record)
    if _added(cursor, queries, parameters):
        add_parts(cursor, queries, parameters)
        return Inserted(record, created=True)
    duplicate = rows.record(cursor.execute(queries.duplicates, parameters).fetchone())
    if duplicate.id == new.id:
        return Inserted(duplicate, created=False)
    result = keys.met(duplicate, new, record.run_at, record.created_at)
    if result.applied is not None:
        changed = {**rows.insertion(result.record), "now": parameters["now"]}
        cursor.execute(queries.change_holders, changed)
        _add_payload(cursor, queries, changed)
    return result


def add_parts(cursor: sqlite3.Cursor, queries: Queries, parameters: Parameters) -> None:
    """Store what an inserted job has in other tables: its tags and a large payload."""
    if parameters["tags"] != "[]":
        cursor.execute(queries.add_tags, parameters)
    _add_payload(cursor, queries, parameters)


def _add_payload(cursor: sqlite3.Cursor, queries: Queries, parameters: Parameters) -> None:
    if parameters["large_payload"] is not None:
        cursor.execute(queries.add_payload, parameters)


def _added(cursor: sqlite3.Cursor, queries: Queries, parameters: Parameters) -> bool:
    """Insert a job; return whether it is new. Free its key only if that failed: this costs other inserts nothing."""

    def executed(statement: str) -> bool:
        return cursor.execute(statement, parameters).rowcount == 1

    if executed(queries.insert):
        return True
    return parameters["unique_key"] is not None and executed(queries.free_keys) and executed(queries.insert)
