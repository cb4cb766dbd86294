"""Making the store, knowing it again, and removing it.

A file is ours when its header says so (`PRAGMA application_id`), and has the schema of its `PRAGMA user_version`: the
number of migrations that were applied. Both are written in the transaction that makes the tables.
"""

import sqlite3
from contextlib import closing
from importlib.resources import files
from time import monotonic, sleep
from typing import Any

from tallystick import ForeignStore, NotSetUp, Unavailable

from . import forking, queries
from .errors import mapped, not_set_up, primary_code
from .location import Location

APPLICATION_ID = 0x5453544B
"""The bytes "WIND", which mark a file as ours."""

MIGRATIONS = tuple(
    file.read_text("utf-8")
    for file in sorted((files(__package__) / "migrations").iterdir(), key=lambda file: file.name)
    if file.name.endswith(".sql")
)
"""Each brings the schema from the version that is its index to the next. A statement ends with a semicolon at the end
of its line."""

_PAUSE = 0.01
_CHANGING = 1.0
"""Seconds for which a file that looks torn is taken to be one that another is just writing."""


def connect(location: Location, mode: str = "rw") -> sqlite3.Connection:
    """Open the file; without `c` in the mode, nothing is created."""
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
        # SQLite keeps what it needs to undo a single statement in a temporary file; in memory, an update costs a third.
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:  # this is where a file turns out to be no database
        connection.close()
        raise
    return connection


def open_store(location: Location) -> sqlite3.Connection:
    """Open a store that is set up.

    Raises:
        NotSetUp: there is none, or it has the schema of another version.
        ForeignStore: the file is not ours.
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
    """Refuse a file that is not ours, or does not have the schema of this version."""
    version = _pragma(connection, "user_version")
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise _foreign(location)
    _refuse_newer(version, location)
    if version < len(MIGRATIONS):
        raise not_set_up(location.path)


def _refuse_unfinished(connection: sqlite3.Connection, location: Location) -> None:
    if _pragma(connection, "journal_mode") != "wal":
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
    """Return what `setup` executes in a new file, for people who run it themselves."""
    made = "".join(f"{text.strip()}\n\n" for text in MIGRATIONS)
    marks = f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {len(MIGRATIONS)};\n"
    return f"BEGIN IMMEDIATE;\n\n{made}{marks}COMMIT;\n\nPRAGMA journal_mode = WAL;\n"


def teardown(location: Location) -> None:
    """Remove the tables; and the file, unless it has other tables or is open elsewhere.

    Another process that has it open would go on writing to a file that nobody can find; it is left an empty one.
    """
    with mapped(location.path):
        if not _is_ours(location):
            return
        with closing(connect(location)) as connection:
            try:
                connection.execute(queries.BEGIN_WRITE)
                connection.execute(queries.DROP_JOBS)
                connection.execute(queries.DROP_QUEUES)
                connection.execute("PRAGMA user_version = 0")
                connection.commit()
            finally:
                connection.rollback()
            [empty] = connection.execute(queries.IS_EMPTY).fetchone()
            if empty and _is_alone(connection):
                location.path.unlink(missing_ok=True)


def _is_alone(connection: sqlite3.Connection) -> bool:
    """Say whether nobody else has the file open: only then can the write-ahead log be given up."""
    try:
        return bool(_pragma(connection, "journal_mode = DELETE") == "delete")
    except sqlite3.OperationalError as exc:
        if primary_code(exc) != sqlite3.SQLITE_BUSY:
            raise
        return False


def _is_ours(location: Location) -> bool:
    """Say whether the file is ours (True) or still to be made (False), without touching a foreign one.

    To open a file whose owner died may be to write to it, since SQLite then recovers what is in its journal. An
    `immutable` one is only read, and our mark is in its first page from the beginning. (To read it without SQLite would
    end the locks of all other connections of this process: POSIX has it so.)
    """
    deadline = monotonic() + _CHANGING
    while _size(location):
        try:
            mark = _mark(location)
        except sqlite3.DatabaseError as exc:  # without locks, a file that another is just setting up may look torn
            if primary_code(exc) != sqlite3.SQLITE_CORRUPT or monotonic() > deadline:
                raise
            sleep(_PAUSE)
            continue
        if mark != APPLICATION_ID:
            raise _foreign(location)
        return True
    return False


def _mark(location: Location) -> Any:
    with closing(connect(location, "ro&immutable=1")) as connection:
        return _pragma(connection, "application_id")


def _size(location: Location) -> int:
    try:
        return location.path.stat().st_size
    except FileNotFoundError as exc:
        if not location.path.parent.is_dir():
            raise Unavailable(f"{location.path} cannot be: there is no directory {location.path.parent}") from exc
        return 0
    except OSError as exc:
        raise Unavailable(f"{location.path} could not be used: {exc}") from exc


def _migrate(connection: sqlite3.Connection, location: Location) -> None:
    ours = _pragma(connection, "application_id") == APPLICATION_ID
    [empty] = connection.execute(queries.IS_EMPTY).fetchone()
    if not ours and not empty:
        raise _foreign(location)
    version = _pragma(connection, "user_version")
    _refuse_newer(version, location)
    if version == len(MIGRATIONS):
        return
    for migration in MIGRATIONS[version:]:
        for statement in migration.split(";\n"):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _switch_to_wal(connection: sqlite3.Connection, location: Location) -> None:
    """Let readers and a writer work at once. SQLite needs the file alone for it, and does not wait until it has."""
    deadline = monotonic() + location.options.busy_timeout.total_seconds()
    while True:
        try:
            mode = _pragma(connection, "journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if primary_code(exc) != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(_PAUSE)
            continue
        if mode != "wal":
            raise Unavailable(f"{location.path} is on a file system that SQLite cannot keep a write-ahead log on")
        return


def _pragma(connection: sqlite3.Connection | sqlite3.Cursor, name: str) -> Any:
    [value] = connection.execute(f"PRAGMA {name}").fetchone()
    return value


def _refuse_newer(version: int, location: Location) -> None:
    if version > len(MIGRATIONS):
        raise NotSetUp(
            f"{location.path} has schema version {version}, made by a newer tallystick-sqlite; this one knows those "
            f"up to {len(MIGRATIONS)}: upgrade it"
        )


def _foreign(location: Location) -> ForeignStore:
    return ForeignStore(f"{location.path} was not made by Tallystick (it has not our mark); it was left as it was")
