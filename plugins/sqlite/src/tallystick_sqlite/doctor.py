"""Diagnose a file for `tallystick doctor`."""

from collections.abc import Iterator
from contextlib import closing
from sqlite3 import Connection, DatabaseError

from tallystick import Finding, NotSetUp
from tallystick.diagnostics import fault, ok, warning

from . import schema, search
from .location import Location
from .opening import connect, pragma
from .queries import Queries

MUCH_FREE = 16 * 1024 * 1024
"""The bytes of free pages above which a file is reported, if they are also most of the file."""


def diagnose(location: Location) -> Iterator[Finding]:
    """Yield findings about a file."""
    try:
        schema.open_store(location).close()
    except NotSetUp as exc:
        yield fault("schema version", str(exc), "run `tallystick setup` with this URL")
        return
    with closing(connect(location)) as connection:
        migrations = len(location.queries.migrations)
        yield ok("schema version", f"{migrations} of {migrations}")
        yield _journal_mode(connection)
        yield _synchronous(connection, location)
        yield _search(connection, location.queries)
        yield _integrity(connection, location.queries)
        yield _size(connection, location.queries)


def _journal_mode(connection: Connection) -> Finding:
    mode = pragma(connection, "journal_mode")
    if mode != "wal":
        return warning(
            "journal mode",
            mode,
            "readers and the writer block each other, and a commit takes longer; execute PRAGMA journal_mode = WAL, or "
            "add journal_mode=wal to the URL and run `tallystick setup`",
        )
    return ok("journal mode", mode)


def _synchronous(connection: Connection, location: Location) -> Finding:
    mode = location.options.synchronous
    if mode == "FULL" and pragma(connection, "journal_mode") != "wal":
        return warning(
            "synchronous",
            mode,
            "without a write-ahead log, a power cut may undo the latest commit; remove synchronous=FULL from the URL",
        )
    if mode == "NORMAL":
        return warning(
            "synchronous", mode, "a power cut may undo the latest commits; remove synchronous=NORMAL from the URL"
        )
    return ok("synchronous", mode)


def _search(connection: Connection, queries: Queries) -> Finding:
    found = search.count(connection, queries)
    if found == search.PARTS:
        return ok("search indexes", "all exist, with the ledger of counts")
    if found:
        return warning(
            "search indexes",
            f"{found} of {search.PARTS} exist, and none is used",
            "run `tallystick setup` with search=true in the URL, or with search=false to drop them",
        )
    return ok("search indexes", "none; `tallystick setup` creates them if the URL has search=true")


def _integrity(connection: Connection, queries: Queries) -> Finding:
    try:
        result = "; ".join(text for (text,) in connection.execute(queries.doctor_integrity))
    except DatabaseError as exc:
        result = str(exc)
    if result == "ok":
        return ok("integrity", "quick_check found no errors")
    return fault(
        "integrity",
        result,
        "the file is damaged: stop the workers, then restore a backup or try `sqlite3 FILE .recover`",
    )


def _size(connection: Connection, queries: Queries) -> Finding:
    page, pages, free = connection.execute(queries.doctor_size).fetchone()
    found = f"{page * pages:,} bytes, {page * free:,} of them free"
    if free * 2 > pages and page * free > MUCH_FREE:
        return warning("file size", found, "SQLite reuses free pages; to shrink the file, execute VACUUM")
    return ok("file size", found)
