"""The loan of a connection or session of SQLAlchemy, sync or async, with whatever driver it has."""

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
"""Calls a function with the sync form of what was given, where that may be used."""


def lent(transaction: object) -> Execute | None:
    """Return what executes in a SQLAlchemy transaction; None for anything else, and where SQLAlchemy is not loaded."""
    if (use := _use(transaction)) is None:
        return None
    use(_refuse_unfit)

    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        found: Sequence[Row] = use(lambda target: _execute(target, query, parameters))
        return found

    return execute


def _use(transaction: object) -> _Use | None:
    scoped = _loaded("sqlalchemy.orm", "scoped_session") + _loaded("sqlalchemy.ext.asyncio", "async_scoped_session")
    if isinstance(transaction, scoped):
        raise InvalidArgument(
            f"transaction is a {type(transaction).__name__}, which is another session in another thread or task; pass "
            "the session that it stands for: transaction=session()"
        )
    if isinstance(transaction, _loaded("sqlalchemy.engine", "Connection") + _loaded("sqlalchemy.orm", "Session")):
        return lambda work: work(transaction)
    if isinstance(transaction, _loaded("sqlalchemy.ext.asyncio", "AsyncConnection", "AsyncSession")):
        given: Any = transaction
        return lambda work: on_calling_loop(lambda: given.run_sync(work), transaction)
    return None


def _loaded(module: str, *names: str) -> tuple[Any, ...]:
    """Return classes of a module, if the application has imported it."""
    found = sys.modules.get(module)
    return () if found is None else tuple(getattr(found, name) for name in names)


def _refuse_unfit(target: Any) -> None:
    connection = _connection(target)
    if connection.dialect.name != "postgresql":
        raise InvalidArgument(f"transaction is a connection to {connection.dialect.name}; it must be one to PostgreSQL")
    if getattr(connection.connection.dbapi_connection, "autocommit", False):
        raise InvalidArgument(
            "transaction is a connection in autocommit mode, where each statement is committed at once; give it "
            "another isolation_level"
        )


def _execute(target: Any, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
    sqlalchemy = sys.modules["sqlalchemy"]
    connection = _connection(target)
    with _translated():
        found = connection.execute(sqlalchemy.text(named(query)), dict(parameters))
        return [tuple(_ours(value) for value in row) for row in found]


def _connection(target: Any) -> Any:
    """Return the connection of a session, or the connection itself.

    Raises:
        InvalidArgument: it is closed, or its transaction has failed.
    """
    sqlalchemy_exc = sys.modules["sqlalchemy.exc"]
    try:
        with _translated():
            connection = target.connection() if callable(target.connection) else target
            _ = connection.connection  # raises where it is closed, or has to be rolled back
            return connection
    except sqlalchemy_exc.SQLAlchemyError as exc:
        raise InvalidArgument(f"transaction is a {type(target).__name__} that cannot be used: {exc}") from exc


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what any driver raises as psycopg does, by the server's code."""
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


def _ours(value: Any) -> Any:
    """Return a value as our own connections read it, whatever a driver made of it."""
    match value:
        case datetime():
            return rows.micros(value)
        case memoryview():
            return bytes(value)
        case UUID():
            return UUID(int=value.int)  # some drivers have a class of their own
        case _:
            return value
