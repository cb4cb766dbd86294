"""Execute statements in the caller's own transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tallystick import InvalidArgument, NotSetUp

from .errors import mapped
from .location import Location
from .ownership import check, version
from .rows import escaped

T = TypeVar("T")


def join_transaction(transaction: object, location: Location, work: Callable[[sqlite3.Cursor], T]) -> T:
    """Call a function with a cursor in the caller's transaction; after an error, roll back to a savepoint.

    It never commits.

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
            result = work(cursor)
        except BaseException:
            if transaction.in_transaction:  # some errors roll back the whole transaction
                cursor.execute(queries.savepoint_rollback)
                cursor.execute(queries.savepoint_release)
            raise
        cursor.execute(queries.savepoint_release)
        return result


def reject_own_caller(transaction: object | None, location: Location) -> None:
    """Reject a setup inside the caller's transaction in this file, which it would wait for.

    Raises:
        NotSetUp: The transaction is open, and the store is missing or older.
    """
    if not isinstance(transaction, sqlite3.Connection) or not transaction.in_transaction:
        return
    with mapped(location), _plain_cursor(transaction) as cursor:
        if _is_same_file(cursor, location) and version(cursor, location) < len(location.queries.migrations):
            raise NotSetUp(
                f"{location.path} is not set up, and a setup now would wait for your open transaction, which locks "
                "the file; before BEGIN, call runner.start(), `with runner:` or `tallystick setup`"
            )


@contextmanager
def _plain_cursor(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    """Yield a cursor that ignores the connection's row factory and text factory."""
    text_factory, connection.text_factory = connection.text_factory, escaped
    try:
        yield sqlite3.Cursor(connection)
    finally:
        connection.text_factory = text_factory


def _refuse_other_file(cursor: sqlite3.Cursor, location: Location) -> None:
    if not _is_same_file(cursor, location):
        raise InvalidArgument(
            f"transaction is a connection to {_file(cursor, location) or 'no file'}; it must be one to {location.path}"
        )


def _is_same_file(cursor: sqlite3.Cursor, location: Location) -> bool:
    path, file = location.path, _file(cursor, location)
    return bool(file and Path(file).exists() and path.exists() and Path(file).samefile(path))


def _file(cursor: sqlite3.Cursor, location: Location) -> str:
    [file] = cursor.execute(location.queries.main_file).fetchone()
    return str(file or "")
