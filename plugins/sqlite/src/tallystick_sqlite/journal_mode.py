"""The journal mode of the file. In WAL mode, readers and the writer do not block each other."""

import sqlite3
from time import monotonic, sleep

from tallystick import Unavailable

from .errors import primary_code
from .location import Location
from .opening import pragma

_PAUSE = 0.01


def switch(connection: sqlite3.Connection, mode: str, location: Location) -> None:
    """Switch the file to a journal mode, unless it has it. SQLite fails while others use the file, so retry."""
    deadline = monotonic() + location.options.busy_timeout.total_seconds()
    while pragma(connection, "journal_mode") != mode:
        try:
            pragma(connection, f"journal_mode = {mode}")
        except sqlite3.OperationalError as exc:
            if primary_code(exc) != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(_PAUSE)
        else:
            _require(connection, mode, location)


def is_alone(connection: sqlite3.Connection) -> bool:
    """Check that no other connection has the file open: only then can SQLite leave WAL mode.

    In other modes SQLite cannot find out, so this returns False.
    """
    try:
        return bool(
            pragma(connection, "journal_mode") == "wal" and pragma(connection, "journal_mode = DELETE") == "delete"
        )
    except sqlite3.OperationalError as exc:
        if primary_code(exc) != sqlite3.SQLITE_BUSY:
            raise
        return False


def _require(connection: sqlite3.Connection, mode: str, location: Location) -> None:
    if pragma(connection, "journal_mode") != mode:
        raise Unavailable(
            f"{location.path} is on a file system that does not support SQLite's write-ahead log; use a local disk, or "
            "add journal_mode=delete to the URL"
        )
