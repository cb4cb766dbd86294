"""Create and remove the store: the tables with one prefix, in a file that an application may share.

The table `{prefix}_migrations` has one row for each applied migration. Its mark shows that the tables are Tallystick's.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from . import journal_mode, search
from .errors import mapped, not_set_up
from .location import Location
from .opening import connect, is_empty, pragma
from .ownership import check, refuse_foreign, version


def open_store(location: Location) -> sqlite3.Connection:
    """Open a store that is set up.

    Raises:
        NotSetUp: There is no store, or it has another version.
        ForeignStore: The file is not a database, or another program created tables with the names of the store.
    """
    if is_empty(location):
        raise not_set_up(location)
    refuse_foreign(location)
    connection = connect(location)
    try:
        check(connection.cursor(), location)
    except BaseException:
        connection.close()
        raise
    return connection


def setup(location: Location, then: Callable[[], object]) -> None:
    """Create or migrate the store. A file that exists keeps its journal mode, unless the URL has that option.

    `then` opens another connection, so that the connection of the setup is not the last one. Closing the last one would
    copy the write-ahead log to the file, and wait for the disk three times.
    """
    with mapped(location):
        if not is_empty(location):
            refuse_foreign(location)
        with closing(connect(location, "rwc")) as connection:
            new = _is_new(connection, location)
            if mode := location.options.journal_mode or ("wal" if new else None):
                journal_mode.switch(connection, mode, location)
            if new or version(connection.cursor(), location) < len(location.queries.migrations):
                _migrate(connection, location, new=new)
            if search.statements(connection, location):
                _search(connection, location)
            then()


def _is_new(connection: sqlite3.Connection, location: Location) -> bool:
    """Return whether the file has no pages, or is empty because a setup or teardown of ours was interrupted.

    Such a setup has switched the file to WAL, and such a teardown has left free pages.
    """
    if pragma(connection, "page_count") == 0:
        return True
    [empty] = connection.execute(location.queries.is_empty).fetchone()
    marks = (pragma(connection, name) for name in ("application_id", "user_version"))
    ours = pragma(connection, "freelist_count") or pragma(connection, "journal_mode") == "wal"
    return bool(empty and ours and not any(marks))


def _migrate(connection: sqlite3.Connection, location: Location, *, new: bool) -> None:
    with _writing(connection, location):
        for text in _missing(location, version(connection.cursor(), location)):
            _execute_each(connection, text)
        if new:
            connection.execute(location.queries.set_created_file)


def _search(connection: sqlite3.Connection, location: Location) -> None:
    with _writing(connection, location):
        if text := search.statements(connection, location):
            _execute_each(connection, text)


def script(location: Location) -> str:
    """Return the statements that `setup` executes in a file that exists, to run by hand."""
    texts = "".join(f"{text.strip().removesuffix(';')};\n\n" for text in _missing(location, 0))
    mode = location.options.journal_mode
    return (f"PRAGMA journal_mode = {mode};\n\n" if mode else "") + f"BEGIN IMMEDIATE;\n\n{texts}COMMIT;\n"


def _missing(location: Location, applied: int) -> Iterator[str]:
    queries = location.queries
    if not applied:
        yield queries.create_migrations
    for migration in queries.migrations[applied:]:
        yield migration
        yield queries.add_migration


def teardown(location: Location) -> None:
    """Drop the tables. Also delete the file, if `setup` created it and nothing else is in it or has it open.

    A process that has the file open would go on writing to the deleted file, so it stays, without tables.
    """
    with mapped(location):
        if is_empty(location):
            return
        refuse_foreign(location)
        with closing(connect(location)) as connection:
            if _drop(connection, location):
                connection.execute("PRAGMA synchronous = OFF")  # the file has no data any more
                if journal_mode.is_alone(connection):
                    location.path.unlink(missing_ok=True)


def _drop(connection: sqlite3.Connection, location: Location) -> bool:
    """Drop the tables; return whether the file is one that `setup` created, and is empty now."""
    with _writing(connection, location):
        if not version(connection.cursor(), location):
            return False
        [created] = connection.execute(location.queries.created_file).fetchone()
        _execute_each(connection, location.queries.drop)
        [empty] = connection.execute(location.queries.is_empty).fetchone()
        return bool(created and empty)


@contextmanager
def _writing(connection: sqlite3.Connection, location: Location) -> Iterator[None]:
    connection.execute(location.queries.begin_write)
    try:
        yield
        connection.commit()
    finally:
        with suppress(sqlite3.ProgrammingError):  # closed: an interrupt came before the block, which ends later
            connection.rollback()  # no effect after the commit


def _execute_each(connection: sqlite3.Connection, statements: str) -> None:
    """Execute statements without a commit, unlike `executescript`."""
    for statement in statements.strip().removesuffix(";").split(";\n"):
        connection.execute(statement)
