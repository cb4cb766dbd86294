"""The one place where PostgreSQL's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from tallystick import (
    BackendError,
    Closed,
    ConfigurationError,
    InvalidArgument,
    NotSetUp,
    OutcomeUnknown,
    TallystickError,
    Unavailable,
    urls,
)

from .location import Location

PASSING = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
"""What another transaction caused, and goes away when ours is made again: it sees then what the other did."""

_ABSENT = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedFunction)
_LATE = (errors.CheckViolation, errors.DatetimeFieldOverflow, errors.IntervalFieldOverflow)


@contextmanager
def mapped(location: Location) -> Iterator[None]:
    """Raise what psycopg raises as ours."""
    try:
        yield
    except psycopg.Error as exc:
        raise ours(exc, location) from urls.cause(exc, location.secrets)


def ours(exc: psycopg.Error, location: Location, *, unknown: bool = False) -> TallystickError:
    """Return our error for one of psycopg's: that of the first line of the table that fits."""
    if isinstance(exc, PoolClosed):
        return closed()
    if isinstance(exc, _ABSENT):
        return not_set_up(location)
    kind, text = next((kind, text) for theirs, kind, text in _TABLE if isinstance(exc, theirs))
    if unknown and kind is Unavailable:
        kind, text = OutcomeUnknown, "was lost meanwhile, and may have committed"
    said = urls.scrub((str(exc).strip() or type(exc).__name__).splitlines()[0], location.secrets)
    return kind(f"{location.shown}, schema {location.schema!r}, {text}: {said}")


_TABLE: tuple[tuple[type[psycopg.Error] | tuple[type[psycopg.Error], ...], type[TallystickError], str], ...] = (
    (PoolTimeout, Unavailable, "has all its connections in use; raise pool_size or pool_timeout"),
    (
        errors.InFailedSqlTransaction,
        InvalidArgument,
        "was given a transaction that an error had aborted; roll it back, and begin again",
    ),
    (PASSING, Unavailable, "was changed by others again and again, each time undoing this call"),
    (_LATE, InvalidArgument, "was given a time after the year 9999"),
    (errors.ReadOnlySqlTransaction, Unavailable, "is read-only: a standby, or set so; connect to the primary"),
    (errors.InsufficientPrivilege, ConfigurationError, "may not be used so by this user"),
    (errors.QueryCanceled, Unavailable, "did not answer in time, and undid the call"),
    ((psycopg.OperationalError, psycopg.InterfaceError), Unavailable, "could not be used"),
    (psycopg.Error, BackendError, "answered what Tallystick did not expect"),
)


def not_set_up(location: Location) -> NotSetUp:
    """Return the error for a schema that `setup` has not made yet, or that was torn down."""
    return NotSetUp(
        f"{location.shown} has no store in schema {location.schema!r}; run `tallystick setup` with its URL, or call "
        "setup()"
    )


def closed() -> Closed:
    """Return the error for a call after `close`."""
    return Closed("this backend was closed; open another with tallystick.open_backend(url)")
