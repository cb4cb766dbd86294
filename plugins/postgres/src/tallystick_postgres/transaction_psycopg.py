"""Join the transaction of a psycopg connection, sync or async, whatever its row factory and type adapters are."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.abc import AdaptContext
from psycopg.pq import Format, TransactionStatus
from psycopg.rows import tuple_row
from tallystick import InvalidArgument, on_calling_loop

from .connections import adapt
from .execute import Execute
from .rows import Row

_TYPES = ("uuid", "text", "bytea", "bool", "int2", "int4", "int8", "text[]")


def join(transaction: object) -> Execute | None:
    """Return a function that executes statements in a psycopg transaction; None if it is not one of psycopg."""
    if isinstance(transaction, psycopg.Connection):
        check_joinable(transaction)
        return _on(transaction)
    if isinstance(transaction, psycopg.AsyncConnection):
        connection = transaction

        async def check() -> None:
            check_joinable(connection)

        on_calling_loop(check, transaction)
        return _on_async(transaction)
    return None


def check_joinable(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """Raise `InvalidArgument` unless a statement on the connection would be part of a transaction."""
    if connection.closed:
        raise InvalidArgument("transaction is a closed connection; it must be open, in a transaction")
    match connection.info.transaction_status:
        case TransactionStatus.IDLE if connection.autocommit:
            raise InvalidArgument(
                "transaction is a connection in autocommit mode without a transaction; begin one with "
                "`with connection.transaction():`"
            )
        case TransactionStatus.INERROR:
            raise InvalidArgument(
                "transaction is a connection whose transaction an error has aborted; roll it back and begin a new one"
            )
        case TransactionStatus.ACTIVE:
            raise InvalidArgument(
                "transaction is a connection that is executing another statement or a pipeline; finish that first "
                "(`pipeline.sync()`)"
            )


def _on(connection: psycopg.Connection[Any]) -> Execute:
    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
            _use_default_loaders(cursor)
            return cursor.execute(query, parameters, prepare=False, binary=True).fetchall()

    return execute


def _on_async(connection: psycopg.AsyncConnection[Any]) -> Execute:
    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        async def executed() -> Sequence[Row]:
            async with psycopg.AsyncCursor(connection, row_factory=tuple_row) as cursor:
                _use_default_loaders(cursor)
                result = await cursor.execute(query, parameters, prepare=False, binary=True)
                return await result.fetchall()

        return on_calling_loop(executed, connection)

    return execute


def _use_default_loaders(cursor: AdaptContext) -> None:
    """Restore psycopg's default loaders, which the application (or Django) may have replaced."""
    adapters = cursor.adapters
    assert adapters is not None
    for name in _TYPES:
        info = psycopg.adapters.types[name]
        loader = psycopg.adapters.get_loader(info.array_oid if name.endswith("[]") else info.oid, Format.BINARY)
        assert loader is not None
        adapters.register_loader(info.array_oid if name.endswith("[]") else info.oid, loader)
    adapt(adapters)
