"""Map the errors of psycopg to those of Tallystick."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from tallystick import (
    BackendError,
    ConfigurationError,
    InvalidArgument,
    NotSetUp,
    OutcomeUnknown,
    TallystickError,
    Unavailable,
    urls,
)
from tallystick.backends.lifetime import closed

from .location import Location

PASSING = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
"""Errors that a concurrent transaction caused. A retry may succeed, because it sees what the other transaction did."""

_ABSENT = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedFunction)
_REJECTED = (errors.CheckViolation, errors.DatetimeFieldOverflow, errors.IntervalFieldOverflow)


@contextmanager
def mapped(location: Location) -> Iterator[None]:
    """Reraise each error of psycopg as one of Tallystick."""
    try:
        yield
    except psycopg.Error as exc:
        raise ours(exc, location) from urls.cause(exc, location.secrets)


def ours(exc: psycopg.Error, location: Location, *, unknown: bool = False) -> TallystickError:
    """Return the error of Tallystick for one of psycopg: the first entry of the table that matches."""
    if isinstance(exc, PoolClosed):
        return closed()
    if isinstance(exc, _ABSENT):
        return not_set_up(location)
    kind, text = next((kind, text) for theirs, kind, text in _TABLE if isinstance(exc, theirs))
    if unknown and kind is Unavailable:
        kind, text = OutcomeUnknown, "lost the connection, and may have committed"
    detail = urls.scrub((str(exc).strip() or type(exc).__name__).splitlines()[0], location.secrets)
    return kind(f"{location.shown}, schema {location.schema!r}, {text}: {detail}")


_TABLE: tuple[tuple[type[psycopg.Error] | tuple[type[psycopg.Error], ...], type[TallystickError], str], ...] = (
    (PoolTimeout, Unavailable, "has all its connections in use; raise pool_size or pool_timeout"),
    (
        errors.InFailedSqlTransaction,
        InvalidArgument,
        "was passed a transaction that an error has aborted; roll it back and begin a new one",
    ),
    (PASSING, Unavailable, "conflicted with other transactions, so the call was rolled back; try again"),
    (_REJECTED, InvalidArgument, "was passed a value that its tables reject, such as a time after the year 9999"),
    (errors.ReadOnlySqlTransaction, Unavailable, "is read-only: a standby, or configured so; connect to the primary"),
    (errors.InsufficientPrivilege, ConfigurationError, "does not grant this user the required privileges"),
    (errors.QueryCanceled, Unavailable, "canceled the statement and rolled the call back"),
    ((psycopg.OperationalError, psycopg.InterfaceError), Unavailable, "is not available"),
    (psycopg.Error, BackendError, "returned an unexpected error"),
)


def not_set_up(location: Location) -> NotSetUp:
    """Return the error for a schema without tables: `setup` has not run, or `teardown` has."""
    return NotSetUp(
        f"{location.shown} has no store in schema {location.schema!r}; run `tallystick setup` with its URL, or call "
        "setup()"
    )
