"""Insert new jobs, and find the stored duplicates of those that were not inserted."""

import sqlite3
from collections.abc import Sequence

from tallystick import Inserted, Record

from . import queries, rows


def insert(cursor: sqlite3.Cursor, records: Sequence[Record]) -> Sequence[Inserted]:
    """Insert new jobs in the transaction of a cursor; return a result for each, in order."""
    results = [_insert(cursor, record) for record in records]
    for queue in {result.record.queue for result in results if result.created}:
        cursor.execute(queries.ADD_QUEUE, {"queue": queue})
    return results


def _insert(cursor: sqlite3.Cursor, record: Record) -> Inserted:
    parameters = rows.insertion(record)
    if cursor.execute(queries.INSERT, parameters).rowcount == 1:
        return Inserted(record, created=True)
    duplicate = cursor.execute(queries.DUPLICATES, parameters).fetchone()
    return Inserted(rows.record(duplicate), created=False)
