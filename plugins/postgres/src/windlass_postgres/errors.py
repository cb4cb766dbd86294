"""The one place where PostgreSQL's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from windlass import (
    BackendError,
    Closed,
    ConfigurationError,
    InvalidArgument,
    NotSetUp,
    OutcomeUnknown,
    Unavailable,
    WindlassError,
)

from .location import Location

PASSING = (errors.SerializationFailure, errors.DeadlockDetected)
"""What another transaction caused, and goes away when ours is made again."""

_ABSENT = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedFunction)
_TIMES = (errors.DatetimeFieldOverflow, errors.IntervalFieldOverflow)


@contextmanager
def mapped(location: Location) -> Iterator[None]:
    """Raise what psycopg raises as ours."""
    try:
        yield
    except psycopg.Error as exc:
        raise ours(exc, location) from exc


def ours(exc: psycopg.Error, location: Location, *, committing: bool = False) -> WindlassError:
    """Return our error for one of psycopg's."""
    where = f"{location.shown}, schema {location.schema!r},"
    match exc:
        case PoolClosed():
            return closed()
        case PoolTimeout():
            return Unavailable(
                f"{location.shown} gave no connection within {location.options.pool_timeout}: all "
                f"{location.options.pool_size} are in use, or it cannot be reached; raise pool_size or pool_timeout"
            )
        case errors.CheckViolation() | errors.DatetimeFieldOverflow() | errors.IntervalFieldOverflow():
            return InvalidArgument(f"a time ends after the year 9999: {_first_line(exc)}")
        case _ if isinstance(exc, _ABSENT):
            return not_set_up(location)
        case errors.ReadOnlySqlTransaction():
            return Unavailable(f"{where} is read-only: a standby, or set so; use the primary server's address")
        case errors.InsufficientPrivilege():
            return ConfigurationError(f"{where} may not be used by this user: {_first_line(exc)}")
        case errors.QueryCanceled():
            return Unavailable(f"{where} did not answer in time, and the statement was undone: {_first_line(exc)}")
        case psycopg.OperationalError() if committing:
            return OutcomeUnknown(f"{where} was lost while committing, and may have committed: {_first_line(exc)}")
        case psycopg.OperationalError() | psycopg.InterfaceError() | errors.SerializationFailure():
            return Unavailable(f"{where} could not be used: {_first_line(exc)}")
        case _:
            return BackendError(f"{where} answered {type(exc).__name__} ({exc.sqlstate}): {_first_line(exc)}")


def _first_line(exc: psycopg.Error) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]


def not_set_up(location: Location) -> NotSetUp:
    """Return the error for a schema that `setup` has not made yet, or that was torn down."""
    return NotSetUp(
        f"{location.shown} has no jobs in schema {location.schema!r}; run `windlass setup` with its URL, or call setup()"
    )


def closed() -> Closed:
    """Return the error for a call after `close`."""
    return Closed("this backend was closed; open another with windlass.open_backend(url)")
