"""The loan of a psycopg connection, sync or async, whatever its owner made of its rows and types."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.abc import AdaptContext
from psycopg.pq import Format, TransactionStatus
from psycopg.rows import tuple_row
from tallystick import InvalidArgument, on_calling_loop

from .connections import read_as_ours
from .execute import Execute
from .rows import Row

_TYPES = ("uuid", "text", "bytea", "bool", "int2", "int4", "int8", "text[]")


def lent(transaction: object) -> Execute | None:
    """Return what executes in a psycopg connection's transaction; None for anything else."""
    if isinstance(transaction, psycopg.Connection):
        refuse_unfit(transaction)
        return _on(transaction)
    if isinstance(transaction, psycopg.AsyncConnection):
        connection = transaction

        async def refuse() -> None:
            refuse_unfit(connection)

        on_calling_loop(refuse, transaction)
        return _on_async(transaction)
    return None


def refuse_unfit(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """Refuse a connection on which no statement can be part of a transaction."""
    if connection.closed:
        raise InvalidArgument("transaction is a connection that is closed; it must be open, in a transaction")
    match connection.info.transaction_status:
        case TransactionStatus.IDLE if connection.autocommit:
            raise InvalidArgument(
                "transaction is a connection in autocommit mode that has begun none; open one: "
                "`with connection.transaction():`"
            )
        case TransactionStatus.INERROR:
            raise InvalidArgument(
                "transaction is a connection whose transaction was aborted by an error; roll it back, and begin again"
            )
        case TransactionStatus.ACTIVE:
            raise InvalidArgument(
                "transaction is a connection in the middle of another statement or of a pipeline; let that end first "
                "(`pipeline.sync()`)"
            )


def _on(connection: psycopg.Connection[Any]) -> Execute:
    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
            _as_by_default(cursor)
            return cursor.execute(query, parameters, prepare=False, binary=True).fetchall()

    return execute


def _on_async(connection: psycopg.AsyncConnection[Any]) -> Execute:
    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        async def executed() -> Sequence[Row]:
            async with psycopg.AsyncCursor(connection, row_factory=tuple_row) as cursor:
                _as_by_default(cursor)
                answer = await cursor.execute(query, parameters, prepare=False, binary=True)
                return await answer.fetchall()

        return on_calling_loop(executed, connection)

    return execute


def _as_by_default(cursor: AdaptContext) -> None:
    """Read what we read as psycopg does, also where the application (or Django) has its own readers."""
    adapters = cursor.adapters
    assert adapters is not None
    for name in _TYPES:
        info = psycopg.adapters.types[name]
        loader = psycopg.adapters.get_loader(info.array_oid if name.endswith("[]") else info.oid, Format.BINARY)
        assert loader is not None
        adapters.register_loader(info.array_oid if name.endswith("[]") else info.oid, loader)
    read_as_ours(adapters)
