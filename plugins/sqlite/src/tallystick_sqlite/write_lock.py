"""Wait for the write lock of the file."""

import sqlite3
from datetime import timedelta
from time import monotonic

from .errors import primary_code
from .location import Location

ATTEMPT = timedelta(milliseconds=20)
"""How long SQLite waits in one attempt. Its pauses grow to 100 ms, so a process that lost often waited for seconds.
Each attempt begins with pauses of 1, 2 and 5 ms again."""


def begin(connection: sqlite3.Connection, location: Location) -> None:
    """Begin a write transaction; wait up to `busy_timeout` while another connection has the lock.

    The connection's own timeout must be `ATTEMPT`.
    """
    deadline = monotonic() + location.options.busy_timeout.total_seconds()
    while True:
        try:
            connection.execute(location.queries.begin_write)
        except sqlite3.OperationalError as exc:
            if primary_code(exc) != sqlite3.SQLITE_BUSY or monotonic() >= deadline:
                raise
        else:
            return
