"""Every kind of connection or session that an application may use for its transaction."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as alchemy
from sqlalchemy.pool import NullPool

SYNC = (
    "psycopg",
    "sqlalchemy connection, psycopg",
    "sqlalchemy connection, psycopg2",
    "sqlalchemy session, psycopg",
    "sqlalchemy session, psycopg2",
)
ASYNC = (
    "psycopg",
    "sqlalchemy connection, psycopg",
    "sqlalchemy connection, asyncpg",
    "sqlalchemy session, psycopg",
    "sqlalchemy session, asyncpg",
)


def alchemy_url(server: str, driver: str) -> str:
    """Return the SQLAlchemy URL of a server's database."""
    return server.replace("postgresql:", f"postgresql+{driver}:")


@contextmanager
def caller(kind: str, server: str, **options: Any) -> Iterator[Any]:
    """Open a connection or session; roll back uncommitted changes at the end."""
    facade, _, driver = kind.partition(", ")
    if facade == "psycopg":
        with psycopg.connect(server, **options) as connection:
            yield connection
            connection.rollback()
        return
    engine = sqlalchemy.create_engine(alchemy_url(server, driver), poolclass=NullPool, **options)
    if facade == "sqlalchemy connection":
        with engine.connect() as opened:
            yield opened
    else:
        with orm.Session(engine) as session:
            yield session


@asynccontextmanager
async def async_caller(kind: str, server: str, **options: Any) -> AsyncIterator[Any]:
    """Open an async connection or session; roll back uncommitted changes at the end."""
    facade, _, driver = kind.partition(", ")
    if facade == "psycopg":
        async with await psycopg.AsyncConnection.connect(server, **options) as connection:
            yield connection
            await connection.rollback()
        return
    engine = alchemy.create_async_engine(alchemy_url(server, driver), poolclass=NullPool, **options)
    try:
        if facade == "sqlalchemy connection":
            async with engine.connect() as opened:
                yield opened
        else:
            async with alchemy.AsyncSession(engine) as session:
                yield session
    finally:
        await engine.dispose()


def statement(caller: Any, text: str) -> Any:
    """Return a statement in the form that the connection accepts."""
    return text if isinstance(caller, psycopg.Connection | psycopg.AsyncConnection) else sqlalchemy.text(text)
