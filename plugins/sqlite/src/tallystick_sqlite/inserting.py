"""Insert new jobs, and find the stored duplicates of those that were not inserted."""

import sqlite3
from collections.abc import Sequence

from tallystick import Inserted, Record

from . import rows
from .queries import Queries


def insert(cursor: sqlite3.Cursor, queries: Queries, records: Sequence[Record]) -> Sequence[Inserted]:
    """Insert new jobs in the transaction of a cursor; return a result for each, in order."""
    results = [_insert(cursor, queries, record) for record in records]
    for queue in {result.record.queue for result in results if result.created}:
        cursor.execute(queries.add_queue, {"queue": queue})
    return results


def _insert(cursor: sqlite3.Cursor, queries: Queries, record: Record) -> Inserted:
    parameters = rows.insertion(record)
    if cursor.execute(queries.insert, parameters).rowcount == 1:
        if record.tags:
            cursor.execute(queries.add_tags, parameters)
        return Inserted(record, created=True)
    duplicate = cursor.execute(queries.duplicates, parameters).fetchone()
    return Inserted(rows.record(duplicate), created=False)
