"""Map the errors of the driver and the server to Tallystick's. No other module does."""

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
"""The server's code for a write that a unique index rejected."""

_AFTER_CLOSE = ("Cannot use MongoClient after close", "Attempted to check out a connection from closed connection pool")
"""The driver's messages for a call after `close`, and for a call that `close` interrupts."""

_TRANSIENT = "TransientTransactionError"


@contextmanager
def mapped(location: Location, *, writing: bool = False) -> Iterator[None]:
    """Raise the driver's errors as Tallystick's. If `writing`, a lost reply raises `OutcomeUnknown`."""
    try:
        yield
    except (errors.PyMongoError, BSONError, OverflowError) as exc:
        raise ours(exc, location, writing=writing) from urls.cause(exc, location.secrets)


def ours(exc: Exception, location: Location, *, writing: bool = False) -> TallystickError:
    """Return the error for an exception of the driver: by label or code, else by the first class that matches."""
    by_code = _CODES.get(getattr(exc, "code", None) or 0)
    kind, text = _by_details(exc) or by_code or next((k, text) for theirs, k, text in _TABLE if isinstance(exc, theirs))
    if kind is OutcomeUnknown and not writing:
        kind, text = Unavailable, "could not be used"
    elif kind is Closed and writing:
        kind, text = OutcomeUnknown, "was closed during the call, which may have taken effect in part"
    reason = urls.scrub(str(exc).partition(", full error")[0].partition(", Timeout:")[0], location.secrets)
    return kind(f"{location.shown}, collections {location.options.collection!r}, {text}: {reason}")


def _by_details(exc: Exception) -> tuple[type[TallystickError], str] | None:
    if isinstance(exc, errors.PyMongoError) and exc.has_error_label(_TRANSIENT):
        return _UNDONE
    if isinstance(exc, errors.BulkWriteError) and _codes(exc) == {DUPLICATE_KEY}:
        return Unavailable, "rejected an id or key that another client has stored; start the transaction again"
    if isinstance(exc, errors.BulkWriteError) and exc.details.get("writeConcernErrors"):
        return _UNCONFIRMED
    if isinstance(exc, errors.PyMongoError) and str(exc).startswith(_AFTER_CLOSE):
        return Closed, "was closed"
    return None


def rejected(exc: errors.BulkWriteError) -> set[int]:
    """Return the indexes of a bulk's writes that a unique index rejected; raise `exc` if anything else failed."""
    if _codes(exc) - {DUPLICATE_KEY} or exc.details.get("writeConcernErrors"):
        raise exc
    return {error["index"] for error in exc.details["writeErrors"]}


def _codes(exc: errors.BulkWriteError) -> set[int]:
    return {error["code"] for error in exc.details["writeErrors"]}


_UNAUTHORIZED = (ConfigurationError, "rejected the credentials, or the user lacks the required privileges")
_UNDONE = (Unavailable, "aborted the transaction because of a conflicting write; start the transaction again")
_UNUSABLE_TRANSACTION = (InvalidArgument, "rejected the transaction, which has ended or cannot be used")

_LOST = (OutcomeUnknown, "lost the connection during the call, which may have taken effect")
_UNCONFIRMED = (OutcomeUnknown, "applied the call, but did not confirm it as the write concern requires (option w)")

_CODES: dict[int, tuple[type[TallystickError], str]] = {
    13: _UNAUTHORIZED,  # Unauthorized
    18: _UNAUTHORIZED,  # AuthenticationFailed
    8000: _UNAUTHORIZED,  # AtlasError
    6: _LOST,  # HostUnreachable, reported by a mongos
    7: _LOST,  # HostNotFound
    89: _LOST,  # NetworkTimeout
    9001: _LOST,  # SocketException
    262: _LOST,  # ExceededTimeLimit
    64: _UNCONFIRMED,  # WriteConcernFailed
    112: _UNDONE,  # WriteConflict
    225: _UNUSABLE_TRANSACTION,  # TransactionTooOld
    251: _UNUSABLE_TRANSACTION,  # NoSuchTransaction
    256: _UNUSABLE_TRANSACTION,  # TransactionCommitted
}

_TABLE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[TallystickError], str], ...] = (
    (errors.ServerSelectionTimeoutError, Unavailable, "has no reachable server"),
    (errors.WaitQueueTimeoutError, Unavailable, "has no free connection in the pool; raise maxPoolSize"),
    (errors.NotPrimaryError, Unavailable, "has a new primary, and rejected the call"),
    (errors.AutoReconnect, *_LOST),
    (errors.WTimeoutError, OutcomeUnknown, "applied the call, but too few members confirmed it in time"),
    (errors.WriteConcernError, *_UNCONFIRMED),
    (errors.ExecutionTimeout, OutcomeUnknown, "did not finish the call in time"),
    (errors.DocumentTooLarge, InvalidArgument, "stores documents of at most 16 MB"),
    ((BSONError, OverflowError, InvalidDocument), InvalidArgument, "cannot store one of the given values"),
    (errors.ConfigurationError, ConfigurationError, "has an invalid configuration"),
    (errors.InvalidURI, ConfigurationError, "has an invalid URL"),
    (errors.DuplicateKeyError, Unavailable, "rejected the call because of a conflicting write by another client"),
    (errors.BulkWriteError, BackendError, "failed with an unexpected error"),
    (errors.InvalidOperation, InvalidArgument, "rejected an operation that the driver does not allow"),
    (errors.PyMongoError, BackendError, "failed with an unexpected error"),
)


def not_set_up(location: Location) -> NotSetUp:
    """Return the error for a store that `setup` has not created yet, or that was torn down."""
    return NotSetUp(
        f"{location.shown}, collections {location.options.collection!r}, is not set up; run `tallystick setup` with "
        "its URL, or call setup()"
    )
