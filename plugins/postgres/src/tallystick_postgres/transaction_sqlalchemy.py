"""Join the transaction of a SQLAlchemy connection or session, sync or async, with any driver."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from psycopg import OperationalError, errors
from tallystick import InvalidArgument, on_calling_loop

from . import rows
from .execute import Execute
from .paramstyle import named
from .rows import Row

T = TypeVar("T")

_Use = Callable[[Callable[[Any], Any]], Any]
"""A function that calls another with the sync connection or session, in the thread or loop that owns it."""


def join(transaction: object) -> Execute | None:
    """Return a function that executes statements in a SQLAlchemy transaction; None if it is not one of SQLAlchemy."""
    if (use := _use(transaction)) is None:
        return None
    use(_check_joinable)

    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        found: Sequence[Row] = use(lambda target: _execute(target, query, parameters))
        return found

    return execute


def _use(transaction: object) -> _Use | None:
    scoped = _loaded("sqlalchemy.orm", "scoped_session") + _loaded("sqlalchemy.ext.asyncio", "async_scoped_session")
    if isinstance(transaction, scoped):
        raise InvalidArgument(
            f"transaction is a {type(transaction).__name__}, which is a different session in each thread or task; "
            "pass the current session: transaction=session()"
        )
    if isinstance(transaction, _loaded("sqlalchemy.engine", "Connection") + _loaded("sqlalchemy.orm", "Session")):
        return lambda work: work(transaction)
    if isinstance(transaction, _loaded("sqlalchemy.ext.asyncio", "AsyncConnection", "AsyncSession")):
        target: Any = transaction
        return lambda work: on_calling_loop(lambda: target.run_sync(work), transaction)
    return None


def _loaded(module: str, *names: str) -> tuple[Any, ...]:
    """Return classes of a module, or none if the application has not imported it."""
    found = sys.modules.get(module)
    return () if found is None else tuple(getattr(found, name) for name in names)


def _check_joinable(target: Any) -> None:
    connection = _connection(target)
    if connection.dialect.name != "postgresql":
        raise InvalidArgument(f"transaction is a connection to {connection.dialect.name}; it must be one to PostgreSQL")
    if getattr(connection.connection.dbapi_connection, "autocommit", False):
        raise InvalidArgument(
            "transaction is a connection in autocommit mode, where each statement commits at once; set another "
            "isolation_level"
        )


def _execute(target: Any, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
    sqlalchemy = sys.modules["sqlalchemy"]
    connection = _connection(target)
    with _translated():
        found = connection.execute(sqlalchemy.text(named(query)), dict(parameters))
        return [tuple(_normalized(value) for value in row) for row in found]


def _connection(target: Any) -> Any:
    """Return the connection of a session, or the connection itself.

    Raises:
        InvalidArgument: the connection is closed, or its transaction has failed.
    """
    sqlalchemy_exc = sys.modules["sqlalchemy.exc"]
    try:
        with _translated():
            connection = target.connection() if callable(target.connection) else target
            _ = connection.connection  # raises if it is closed, or must be rolled back
            return connection
    except sqlalchemy_exc.SQLAlchemyError as exc:
        raise InvalidArgument(f"transaction is a {type(target).__name__} that cannot be used: {exc}") from exc


@contextmanager
def _translated() -> Iterator[None]:
    """Reraise the error of any driver as psycopg's error for the same SQLSTATE."""
    sqlalchemy_exc = sys.modules["sqlalchemy.exc"]
    try:
        yield
    except sqlalchemy_exc.DBAPIError as exc:
        code = getattr(exc.orig, "sqlstate", None) or getattr(exc.orig, "pgcode", None)
        try:
            kind: type[Exception] = errors.lookup(code) if code else OperationalError
        except KeyError:
            kind = OperationalError
        raise kind(str(exc.orig)) from exc


def _normalized(value: Any) -> Any:
    """Convert a value from any driver to the form that the backend's own connections load."""
    match value:
        case datetime():
            return rows.micros(value)
        case memoryview():
            return bytes(value)
        case UUID():
            return UUID(int=value.int)  # some drivers return a UUID class of their own
        case _:
            return value
