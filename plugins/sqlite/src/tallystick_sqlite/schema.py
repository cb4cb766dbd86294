"""Create, check and remove the store.

A file belongs to Tallystick if its header has our `PRAGMA application_id`. `PRAGMA user_version` is the number of
applied migrations. `setup` writes both in the transaction that creates the tables.
"""

import sqlite3
from contextlib import closing
from time import monotonic, sleep
from typing import Any

from tallystick import ForeignStore, NotSetUp, Unavailable

from . import forking, queries
from .errors import mapped, not_set_up, primary_code
from .location import Location

APPLICATION_ID = 0x5453544B
"""The bytes "TSTK" in the header, which mark a file as Tallystick's."""

_PAUSE = 0.01
_CHANGING = 1.0
"""Seconds for which a file that looks corrupt is assumed to be in the middle of another client's setup."""


def connect(location: Location, mode: str = "rw") -> sqlite3.Connection:
    """Open the file; create it only if the mode has a `c`."""
    with forking.opening(location.path):
        connection = sqlite3.connect(
            f"{location.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=location.options.busy_timeout.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
        )
    try:
        connection.execute(f"PRAGMA synchronous = {location.options.synchronous}")
        # SQLite logs each statement to a temporary file, to undo it. In memory, an update takes a third of the time.
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:  # raised here if the file is not a database
        connection.close()
        raise
    return connection


def open_store(location: Location) -> sqlite3.Connection:
    """Open a store that is set up.

    Raises:
        NotSetUp: there is no store, or it has another version.
        ForeignStore: the file was not created by Tallystick.
    """
    if not _is_ours(location):
        raise not_set_up(location.path)
    connection = connect(location)
    try:
        check(connection, location)
        _refuse_unfinished(connection, location)
    except BaseException:
        connection.close()
        raise
    return connection


def check(connection: sqlite3.Connection | sqlite3.Cursor, location: Location) -> None:
    """Raise unless the file was created by Tallystick and has the tables of this version."""
    version = _value(connection, queries.VERSION)
    if not _is_marked(connection):
        raise _foreign(location)
    _refuse_newer(version, location)
    if version < len(queries.MIGRATIONS):
        raise not_set_up(location.path)


def _refuse_unfinished(connection: sqlite3.Connection, location: Location) -> None:
    if _value(connection, "PRAGMA journal_mode") != "wal":
        raise not_set_up(location.path)


def setup(location: Location) -> None:
    """Create or migrate the store."""
    with mapped(location.path):
        _is_ours(location)
        with closing(connect(location, "rwc")) as connection:
            try:
                connection.execute(queries.BEGIN_WRITE)
                _migrate(connection, location)
                connection.commit()
            finally:
                connection.rollback()
            _switch_to_wal(connection, location)


def script() -> str:
    """Return the statements that `setup` executes in a new file, to run by hand."""
    migrations = "".join(f"{text.strip()}\n\n" for text in queries.MIGRATIONS)
    marks = f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {len(queries.MIGRATIONS)};\n"
    return f"BEGIN IMMEDIATE;\n\n{migrations}{marks}COMMIT;\n\nPRAGMA journal_mode = WAL;\n"


def teardown(location: Location) -> None:
    """Drop the tables. Also delete the file, unless it has other tables or another connection has it open.

    A process that has the file open would go on writing to the deleted file, so it stays, without tables.
    """
    with mapped(location.path):
        if not _is_ours(location):
            return
        with closing(connect(location)) as connection:
            try:
                connection.execute(queries.BEGIN_WRITE)
                _execute_each(connection, queries.DROP)
                connection.execute("PRAGMA user_version = 0")
                connection.commit()
            finally:
                connection.rollback()
            if _value(connection, queries.IS_EMPTY) and _is_alone(connection):
                location.path.unlink(missing_ok=True)


def _is_alone(connection: sqlite3.Connection) -> bool:
    """Check that no other connection has the file open: only then can SQLite leave WAL mode."""
    try:
        return bool(_value(connection, "PRAGMA journal_mode = DELETE") == "delete")
    except sqlite3.OperationalError as exc:
        if primary_code(exc) != sqlite3.SQLITE_BUSY:
            raise
        return False


def _is_ours(location: Location) -> bool:
    """Return True if the file has our mark, False if it is missing or empty; raise `ForeignStore` for any other file.

    This must not change a foreign file. A normal open may write to it, because SQLite recovers the journal of a crashed
    process. An `immutable` open only reads, and the mark is in the first page. Do not read the file without SQLite:
    closing it would release the POSIX locks of all connections of this process.
    """
    deadline = monotonic() + _CHANGING
    while _size(location):
        try:
            marked = _has_mark(location)
        except sqlite3.DatabaseError as exc:  # without locks, a setup in progress may look corrupt
            if primary_code(exc) != sqlite3.SQLITE_CORRUPT or monotonic() > deadline:
                raise
            sleep(_PAUSE)
            continue
        if not marked:
            raise _foreign(location)
        return True
    return False


def _has_mark(location: Location) -> bool:
    with closing(connect(location, "ro&immutable=1")) as connection:
        return _is_marked(connection)


def _size(location: Location) -> int:
    try:
        return location.path.stat().st_size
    except FileNotFoundError as exc:
        if not location.path.parent.is_dir():
            raise Unavailable(
                f"{location.path} cannot be created: there is no directory {location.path.parent}"
            ) from exc
        return 0
    except OSError as exc:
        raise Unavailable(f"{location.path} could not be used: {exc}") from exc


def _migrate(connection: sqlite3.Connection, location: Location) -> None:
    if not _is_marked(connection) and not _value(connection, queries.IS_EMPTY):
        raise _foreign(location)
    version = _value(connection, queries.VERSION)
    _refuse_newer(version, location)
    if version == len(queries.MIGRATIONS):
        return
    for migration in queries.MIGRATIONS[version:]:
        _execute_each(connection, migration)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(queries.MIGRATIONS)}")


def _switch_to_wal(connection: sqlite3.Connection, location: Location) -> None:
    """Switch to WAL mode, so that readers do not block the writer. SQLite fails while others use the file, so retry."""
    deadline = monotonic() + location.options.busy_timeout.total_seconds()
    while True:
        try:
            mode = _value(connection, "PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if primary_code(exc) != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(_PAUSE)
            continue
        if mode != "wal":
            raise Unavailable(
                f"{location.path} is on a file system that does not support SQLite's write-ahead log; use a local disk"
            )
        return


def _execute_each(connection: sqlite3.Connection, statements: str) -> None:
    """Execute statements without a commit, unlike `executescript`."""
    for statement in statements.split(";\n"):
        connection.execute(statement)


def _is_marked(connection: sqlite3.Connection | sqlite3.Cursor) -> bool:
    return bool(_value(connection, queries.MARK) == APPLICATION_ID)


def _value(connection: sqlite3.Connection | sqlite3.Cursor, statement: str) -> Any:
    [value] = connection.execute(statement).fetchone()
    return value


def _refuse_newer(version: int, location: Location) -> None:
    if version > len(queries.MIGRATIONS):
        raise NotSetUp(
            f"{location.path} has schema version {version}, created by a newer tallystick-sqlite; this one supports "
            f"versions up to {len(queries.MIGRATIONS)}: upgrade it"
        )


def _foreign(location: Location) -> ForeignStore:
    return ForeignStore(
        f"{location.path} was not created by Tallystick (its application_id is different); it was not changed"
    )
