"""Map the errors of SQLite to those of Tallystick."""

import re
import sqlite3

from tallystick import BackendError, ForeignStore, InvalidArgument, NotSetUp, OutcomeUnknown, Unavailable

from .location import Location


class UndecodableText(Unavailable):
    """A row has text that is not UTF-8. Nothing was changed; `read_escaped` makes the call possible."""


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class mapped:  # noqa: N801 - used like a function; a generator would take a microsecond more for each block
    """A block that reraises each error of SQLite as one of Tallystick."""

    def __init__(self, location: Location, *, committing: bool = False) -> None:
        self._location = location
        self._committing = committing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, traceback: object) -> None:
        if isinstance(exc, sqlite3.Error):
            raise _ours(exc, self._location, self._committing) from exc


def _ours(exc: sqlite3.Error, location: Location, committing: bool) -> BackendError | InvalidArgument:
    path = location.path
    code = primary_code(exc)
    if not code and "decode to UTF-8" in str(exc):
        return UndecodableText(f"{path} has text that is not UTF-8: {exc}")
    if isinstance(exc, sqlite3.ProgrammingError):
        return InvalidArgument(f"transaction is a connection that cannot be used: {exc}")
    if code == sqlite3.SQLITE_NOTADB:
        return ForeignStore(f"{path} is not an SQLite database; it was not changed")
    if re.search(rf"no such table: (main\.)?{location.options.prefix}_", str(exc)):
        return not_set_up(location)
    if committing and code == sqlite3.SQLITE_IOERR:
        return OutcomeUnknown(f"{path} could not be written during the commit, which may have taken effect: {exc}")
    return Unavailable(_unavailable(exc, location))


def _unavailable(exc: sqlite3.Error, location: Location) -> str:
    code = primary_code(exc)
    if code in _BUSY:
        return (
            f"{location.path} was locked by another connection for longer than busy_timeout ({exc}); keep transactions "
            "short, begin write transactions with BEGIN IMMEDIATE, or set sqlite:///...?busy_timeout=60"
        )
    if code == sqlite3.SQLITE_READONLY:
        return (
            f"{location.path} cannot be written ({exc}); make the file and its directory writable for this user, and "
            "do not move or delete the file while it is open"
        )
    return f"{location.path} could not be used: {exc}"


def primary_code(exc: sqlite3.Error) -> int:
    """Return SQLite's primary result code; 0 if the driver itself raised the error."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF


def not_set_up(location: Location) -> NotSetUp:
    """Return the error for a file without tables: `setup` has not run, or `teardown` has."""
    return NotSetUp(
        f"{location.path} is not set up (it has no tables {location.options.prefix}_...); run `tallystick setup` with "
        "its URL, or call setup()"
    )
