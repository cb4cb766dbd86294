"""Execute statements in the caller's own transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick import InvalidArgument

from .errors import mapped
from .location import Location
from .ownership import check
from .rows import escaped


@contextmanager
def join_transaction(transaction: object, location: Location) -> Iterator[sqlite3.Cursor]:
    """Yield a cursor in the caller's transaction; after an error, roll back to a savepoint. It never commits.

    Raises:
        InvalidArgument: `transaction` is not a `sqlite3.Connection` to this file with a transaction begun.
    """
    if not isinstance(transaction, sqlite3.Connection):
        raise InvalidArgument(f"transaction is of type {type(transaction).__name__}; it must be a sqlite3.Connection")
    queries = location.queries
    with mapped(location), _plain_cursor(transaction) as cursor:
        if not transaction.in_transaction:
            raise InvalidArgument("transaction is a connection without a transaction; execute BEGIN IMMEDIATE first")
        _refuse_other_file(cursor, location)
        check(cursor, location)
        cursor.execute(queries.savepoint)
        try:
            yield cursor
        except BaseException:
            if transaction.in_transaction:  # some errors roll back the whole transaction
                cursor.execute(queries.savepoint_rollback)
                cursor.execute(queries.savepoint_release)
            raise
        cursor.execute(queries.savepoint_release)


@contextmanager
def _plain_cursor(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    """Yield a cursor that ignores the connection's row factory and text factory."""
    text_factory, connection.text_factory = connection.text_factory, escaped
    try:
        yield sqlite3.Cursor(connection)
    finally:
        connection.text_factory = text_factory


def _refuse_other_file(cursor: sqlite3.Cursor, location: Location) -> None:
    path = location.path
    [file] = cursor.execute(location.queries.main_file).fetchone()
    if not file or not Path(file).exists() or not path.exists() or not Path(file).samefile(path):
        raise InvalidArgument(f"transaction is a connection to {file or 'no file'}; it must be one to {path}")
