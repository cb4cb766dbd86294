"""`insert_statement`, executed by drivers of all parameter styles."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy
from psycopg2.extras import register_uuid
from tallystick import InvalidArgument, NewRecord, PayloadTooLarge
from tallystick_postgres import PostgresBackend, insert_statement

from .callers import alchemy_url
from .test_transaction import RICH

NOW = datetime(2031, 5, 17, 12, 30, 15, 123456, tzinfo=UTC)


def records() -> list[NewRecord]:
    return [
        NewRecord(kind="k", run_at=timedelta(seconds=1), **RICH),  # type: ignore[arg-type]  # fields by name
        NewRecord(kind="k", run_at=datetime(2050, 1, 1, tzinfo=UTC)),
        NewRecord(kind="duplicate", unique_key="key"),
    ]


def by_psycopg(postgres_url: str, schema: str, news: list[NewRecord]) -> list[Any]:
    with psycopg.connect(postgres_url) as connection:
        return connection.execute(*insert_statement(news, schema=schema, now=NOW)).fetchall()


def by_psycopg2(postgres_url: str, schema: str, news: list[NewRecord]) -> list[Any]:
    connection = psycopg2.connect(postgres_url)
    register_uuid(None, connection)
    with connection, connection.cursor() as cursor:
        cursor.execute(*insert_statement(news, schema=schema, now=NOW))
        found = cursor.fetchall()
    connection.close()
    return list(found)


def by_sqlalchemy(postgres_url: str, schema: str, news: list[NewRecord]) -> list[Any]:
    sql, parameters = insert_statement(news, schema=schema, now=NOW, style="named")
    engine = sqlalchemy.create_engine(alchemy_url(postgres_url, "psycopg"))
    with engine.begin() as connection:
        found = connection.execute(sqlalchemy.text(sql), parameters).fetchall()
    engine.dispose()
    return list(found)


def by_asyncpg(postgres_url: str, schema: str, news: list[NewRecord]) -> list[Any]:
    sql, parameters = insert_statement(news, schema=schema, now=NOW, style="numbered")

    async def main() -> list[Any]:
        connection = await asyncpg.connect(postgres_url)
        try:
            async with connection.transaction():
                return list(await connection.fetch(sql, *parameters))
        finally:
            await connection.close()

    return asyncio.run(main())


@pytest.mark.parametrize("execute", [by_psycopg, by_psycopg2, by_sqlalchemy, by_asyncpg])
def test_it_stores_the_same_as_insert(backend: PostgresBackend, postgres_url: str, schema: str, execute: Any) -> None:
    """The statement stores the same records as `insert`, with each driver, and returns the stored ones."""
    news = records()
    found = execute(postgres_url, schema, news)
    stored = backend.get([new.id for new in news])
    assert {row[0]: (row[1], row[2]) for row in found} == {
        record.id: (record.created_at, record.run_at) for record in stored.values()
    }
    backend.teardown()
    backend.setup()
    assert stored == {
        inserted.record.id: inserted.record for inserted in backend.insert(news, now=NOW) if inserted.created
    }
    assert len(stored) == 2


def test_invalid_arguments_are_rejected() -> None:
    """Invalid arguments are rejected before a statement is returned."""
    naive: Any = {"now": NOW.replace(tzinfo=None)}
    with pytest.raises(InvalidArgument, match="no time zone"):
        insert_statement([], **naive)
    with pytest.raises(PayloadTooLarge):
        insert_statement([NewRecord(kind="k", payload=bytes(17 * 2**20))])
    with pytest.raises(InvalidArgument, match="schema is 'a; drop'"):
        insert_statement([], schema="a; drop")
    style: Any = "qmark"
    with pytest.raises(InvalidArgument, match="style is 'qmark'"):
        insert_statement([], style=style)
