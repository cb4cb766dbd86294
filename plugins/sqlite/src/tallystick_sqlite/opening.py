"""Open connections to the file."""

import sqlite3
from typing import Any

from tallystick import Unavailable

from . import forking
from .location import Location


def connect(location: Location, mode: str = "rw") -> sqlite3.Connection:
    """Open the file; create it only if the mode has a `c`."""
    connection = forking.open_connection(
        location.path,
        lambda: sqlite3.connect(
            f"{location.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=location.options.busy_timeout.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
        ),
    )
    try:
        connection.execute(f"PRAGMA synchronous = {location.options.synchronous}")
        # SQLite logs each statement to a temporary file, to undo it. In memory, an update takes a third of the time.
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:  # raised here if the file is not a database
        connection.close()
        raise
    return connection


def pragma(connection: sqlite3.Connection, name: str) -> Any:
    """Return the value of a PRAGMA statement."""
    [value] = connection.execute(f"PRAGMA {name}").fetchone()
    return value


def is_empty(location: Location) -> bool:
    """Check whether the file is missing or has no bytes.

    Raises:
        Unavailable: The file cannot be created, because its directory is missing, or cannot be used.
    """
    try:
        return location.path.stat().st_size == 0
    except FileNotFoundError as exc:
        if not location.path.parent.is_dir():
            raise Unavailable(
                f"{location.path} cannot be created: there is no directory {location.path.parent}; create it"
            ) from exc
        return True
    except OSError as exc:
        raise Unavailable(f"{location.path} could not be used: {exc}") from exc
