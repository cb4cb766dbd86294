"""Diagnose a file for `tallystick doctor`."""

from collections.abc import Iterator
from contextlib import closing
from sqlite3 import Connection, DatabaseError

from tallystick import Finding, NotSetUp
from tallystick.diagnostics import fault, ok, warning

from . import queries, schema
from .location import Location

MUCH_FREE = 16 * 1024 * 1024
"""The bytes of free pages above which a file is reported, if they are also most of the file."""


def diagnose(location: Location) -> Iterator[Finding]:
    """Yield findings about a file."""
    try:
        schema.open_store(location).close()
    except NotSetUp as exc:
        yield fault("schema version", str(exc), "run `tallystick setup` with this URL")
        return
    with closing(schema.connect(location)) as connection:
        yield ok("schema version", f"{len(queries.MIGRATIONS)} of {len(queries.MIGRATIONS)}")
        yield ok("journal mode", "wal")  # open_store rejects any other mode
        yield _synchronous(location)
        yield _integrity(connection)
        yield _size(connection)


def _synchronous(location: Location) -> Finding:
    mode = location.options.synchronous
    if mode == "NORMAL":
        return warning(
            "synchronous", mode, "a power cut may undo the latest commits; remove synchronous=NORMAL from the URL"
        )
    return ok("synchronous", mode)


def _integrity(connection: Connection) -> Finding:
    try:
        result = "; ".join(text for (text,) in connection.execute(queries.DOCTOR_INTEGRITY))
    except DatabaseError as exc:
        result = str(exc)
    if result == "ok":
        return ok("integrity", "quick_check found no errors")
    return fault(
        "integrity",
        result,
        "the file is damaged: stop the workers, then restore a backup or try `sqlite3 FILE .recover`",
    )


def _size(connection: Connection) -> Finding:
    page, pages, free = connection.execute(queries.DOCTOR_SIZE).fetchone()
    found = f"{page * pages:,} bytes, {page * free:,} of them free"
    if free * 2 > pages and page * free > MUCH_FREE:
        return warning("file size", found, "SQLite reuses free pages; to shrink the file, execute VACUUM")
    return ok("file size", found)
