"""The one place where the driver's and the server's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError, InvalidDocument
from pymongo import errors
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

DUPLICATE_KEY = 11000
"""The server's code for a write that a unique index refused."""

_AFTER_CLOSE = ("Cannot use MongoClient after close", "Attempted to check out a connection from closed connection pool")
"""What the driver says to a call that comes after `close`, and to one that `close` overtakes."""

_TRANSIENT = "TransientTransactionError"


@contextmanager
def mapped(location: Location, *, writing: bool = False) -> Iterator[None]:
    """Raise what the driver raises as ours.

    When `writing`, an answer that was lost leaves the outcome unknown.
    """
    try:
        yield
    except (errors.PyMongoError, BSONError, OverflowError) as exc:
        raise ours(exc, location, writing=writing) from urls.cause(exc, location.secrets)


def ours(exc: Exception, location: Location, *, writing: bool = False) -> TallystickError:
    """Return our error for one of the driver's: by label or code, else by the first line of the table that fits."""
    by_code = _CODES.get(getattr(exc, "code", None) or 0)
    kind, text = _by_details(exc) or by_code or next((k, text) for theirs, k, text in _TABLE if isinstance(exc, theirs))
    if kind is OutcomeUnknown and not writing:
        kind, text = Unavailable, "could not be used"
    elif kind is Closed and writing:
        kind, text = OutcomeUnknown, "was closed meanwhile, and may have done a part of the call"
    said = urls.scrub(str(exc).partition(", full error")[0].partition(", Timeout:")[0], location.secrets)
    return kind(f"{location.shown}, collections {location.options.collection!r}, {text}: {said}")


def _by_details(exc: Exception) -> tuple[type[TallystickError], str] | None:
    if isinstance(exc, errors.PyMongoError) and exc.has_error_label(_TRANSIENT):
        return _UNDONE
    if isinstance(exc, errors.BulkWriteError) and _codes(exc) == {DUPLICATE_KEY}:
        return Unavailable, "was given by another what this call wanted; begin the transaction again"
    if isinstance(exc, errors.BulkWriteError) and exc.details.get("writeConcernErrors"):
        return OutcomeUnknown, "did the call, but did not confirm it as asked (option w)"
    if isinstance(exc, errors.PyMongoError) and str(exc).startswith(_AFTER_CLOSE):
        return Closed, "was closed"
    return None


def refused(exc: errors.BulkWriteError) -> set[int]:
    """Return which writes of a bulk a unique index refused; raise what else went wrong."""
    if _codes(exc) - {DUPLICATE_KEY} or exc.details.get("writeConcernErrors"):
        raise exc
    return {error["index"] for error in exc.details["writeErrors"]}


def _codes(exc: errors.BulkWriteError) -> set[int]:
    return {error["code"] for error in exc.details["writeErrors"]}


_REFUSED_USER = (ConfigurationError, "refused this user, or what the user wants to do")
_UNDONE = (Unavailable, "was changed by another meanwhile, which undid the transaction; begin it again")
_UNFIT_TRANSACTION = (InvalidArgument, "was given a transaction that cannot be used, or not any more")

_LOST = (OutcomeUnknown, "was lost meanwhile, and may have done the call")

_CODES: dict[int, tuple[type[TallystickError], str]] = {
    13: _REFUSED_USER,  # Unauthorized
    18: _REFUSED_USER,  # AuthenticationFailed
    8000: _REFUSED_USER,  # AtlasError
    6: _LOST,  # HostUnreachable, of which a mongos tells
    7: _LOST,  # HostNotFound
    89: _LOST,  # NetworkTimeout
    9001: _LOST,  # SocketException
    262: _LOST,  # ExceededTimeLimit
    64: (OutcomeUnknown, "did the call, but did not confirm it as asked (option w)"),  # WriteConcernFailed
    112: _UNDONE,  # WriteConflict
    225: _UNFIT_TRANSACTION,  # TransactionTooOld
    251: _UNFIT_TRANSACTION,  # NoSuchTransaction
    256: _UNFIT_TRANSACTION,  # TransactionCommitted
}

_TABLE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[TallystickError], str], ...] = (
    (errors.ServerSelectionTimeoutError, Unavailable, "has no server that answers"),
    (errors.WaitQueueTimeoutError, Unavailable, "has all its connections in use; raise maxPoolSize"),
    (errors.NotPrimaryError, Unavailable, "has a new primary, and refused the call"),
    (errors.AutoReconnect, *_LOST),
    (errors.WTimeoutError, OutcomeUnknown, "did the call, but too few members confirmed it in time"),
    (errors.WriteConcernError, OutcomeUnknown, "did the call, but did not confirm it as asked (option w)"),
    (errors.ExecutionTimeout, OutcomeUnknown, "did not end the call in time"),
    (errors.DocumentTooLarge, InvalidArgument, "keeps documents of 16 MB at most"),
    ((BSONError, OverflowError, InvalidDocument), InvalidArgument, "cannot hold a value that was given"),
    (errors.ConfigurationError, ConfigurationError, "cannot be used so"),
    (errors.InvalidURI, ConfigurationError, "cannot be reached by this URL"),
    (errors.DuplicateKeyError, Unavailable, "was changed by another meanwhile, which undid this call"),
    (errors.BulkWriteError, BackendError, "answered what Tallystick did not expect"),
    (errors.InvalidOperation, InvalidArgument, "was given what cannot be used so"),
    (errors.PyMongoError, BackendError, "answered what Tallystick did not expect"),
)


def not_set_up(location: Location, why: str = "has no store in these collections") -> NotSetUp:
    """Return the error for a store that `setup` has not made yet, or that was torn down."""
    return NotSetUp(
        f"{location.shown}, collections {location.options.collection!r}, {why}; run `tallystick setup` with its URL, "
        "or call setup()"
    )


def closed() -> Closed:
    """Return the error for a call after `close`."""
    return Closed("this backend was closed; open another with tallystick.open_backend(url)")
