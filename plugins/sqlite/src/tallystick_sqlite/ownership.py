"""Check which tables of the file are Tallystick's. An application's tables may be in the same file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tallystick import ForeignStore, NotSetUp

from .errors import not_set_up, primary_code
from .location import Location
from .opening import connect, pragma


def check(cursor: sqlite3.Cursor, location: Location) -> None:
    """Raise unless the file has a store of this prefix and version.

    Raises:
        NotSetUp: There is no store, or it has another version.
        ForeignStore: Another program created tables with the names of the store.
    """
    if version(cursor, location) < len(location.queries.migrations):
        raise not_set_up(location)


def version(cursor: sqlite3.Cursor, location: Location) -> int:
    """Return the number of applied migrations; 0 if the file has no store of this prefix.

    Raises:
        NotSetUp: The store was created by a newer version.
        ForeignStore: Another program created tables with the names of the store.
    """
    applied = _marked_version(cursor, location)
    if applied is None:
        applied = _version_unless_foreign(cursor, location)
    known = len(location.queries.migrations)
    if applied > known:
        raise NotSetUp(
            f"{location.path} has schema version {applied}, created by a newer tallystick-sqlite; this one supports "
            f"versions up to {known}: upgrade it"
        )
    return applied


def refuse_foreign(location: Location) -> None:
    """Raise as `version` does, but change no byte of the file.

    A connection that can write changes the file even if it only reads. It recovers the journal of a crashed program,
    and moves the write-ahead log into the file when it closes. So this opens the file read-only. If the file must be
    recovered first, this only checks that it is a database. Do not read the file without SQLite: closing it would
    release the POSIX locks of all connections of this process.
    """
    try:
        with closing(connect(location, "ro")) as connection:
            version(connection.cursor(), location)
    except sqlite3.OperationalError as exc:
        if primary_code(exc) != sqlite3.SQLITE_READONLY:
            raise
        _refuse_no_database(location)


def _refuse_no_database(location: Location) -> None:
    """Raise for a file that is no database. Without locks, a file that is being written may look corrupt."""
    try:
        with closing(connect(location, "ro&immutable=1")) as connection:
            pragma(connection, "schema_version")
    except sqlite3.DatabaseError as exc:
        if primary_code(exc) != sqlite3.SQLITE_CORRUPT:
            raise


def _marked_version(cursor: sqlite3.Cursor, location: Location) -> int | None:
    try:
        [applied] = cursor.execute(location.queries.version).fetchone()
    except sqlite3.OperationalError as exc:
        if primary_code(exc) != sqlite3.SQLITE_ERROR:
            raise
        return None  # there is no such table, or another program's table lacks these columns
    return None if applied is None else int(applied)


def _version_unless_foreign(cursor: sqlite3.Cursor, location: Location) -> int:
    """Return the version if another client has just set the store up, 0 if no name of the store is taken, or raise.

    The first statement begins the snapshot. A statement that fails to find its table would not.
    """
    with _snapshot(cursor, location):
        taken = [name for (name,) in cursor.execute(location.queries.taken_names)]
        applied = _marked_version(cursor, location) if taken else 0
    if applied is None:
        raise ForeignStore(
            f"{location.path} has {', '.join(taken)}, not created by Tallystick; the file was not changed. Choose "
            f"another prefix for the tables, e.g. sqlite:///{location.path.name}?prefix=background"
        )
    return applied


@contextmanager
def _snapshot(cursor: sqlite3.Cursor, location: Location) -> Iterator[None]:
    """Let all statements of the block see the same snapshot; join a transaction that is open."""
    if cursor.connection.in_transaction:
        yield
        return
    cursor.execute(location.queries.begin_read)
    try:
        yield
    finally:
        cursor.connection.rollback()
