"""Inserting in the caller's transaction, on every kind of connection."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg.rows import dict_row
from sqlalchemy import orm
from tallystick import Closed, Filter, InvalidArgument, NewRecord, NotSetUp
from tallystick_postgres import PostgresBackend

from .callers import SYNC, alchemy_url, caller, statement

NOW = datetime(2031, 5, 17, 12, 30, 15, 123456, tzinfo=UTC)

RICH = {
    "payload": b"\x00\xff{}",
    "queue": "a 'queue' :with %s \\ and {braces}",
    "priority": -5,
    "max_attempts": 9,
    "unique_key": "key",
    "unique_until": "purged",
    "tags": ("plain", 'quoted "tag"', "back\\slash", ":colon", "%s"),
}


@pytest.mark.parametrize("kind", SYNC)
def test_committed_with_the_callers_rows(backend: PostgresBackend, postgres_url: str, kind: str) -> None:
    """Jobs are stored when the caller commits, not before; `insert` returns the stored records and the duplicates."""
    news = [
        NewRecord(kind="k", run_at=timedelta(minutes=5), **RICH),  # type: ignore[arg-type]  # fields by name
        NewRecord(kind="k", run_at=datetime(2050, 1, 1, tzinfo=UTC)),
        NewRecord(kind="other", unique_key="key"),
    ]
    with caller(kind, postgres_url) as connection:
        inserted = backend.insert(news, transaction=connection, now=NOW)
        assert [answer.created for answer in inserted] == [True, True, False]
        assert inserted[2].record == inserted[0].record
        assert type(inserted[2].record.id) is type(news[0].id)
        assert backend.list(Filter(), limit=9) == []
        connection.commit()
    stored = backend.get([new.id for new in news])
    assert stored == {answer.record.id: answer.record for answer in inserted[:2]}
    assert [queue.name for queue in backend.queues()] == [RICH["queue"], "default"]


@pytest.mark.parametrize("kind", SYNC)
def test_rolled_back_with_the_callers_rows(backend: PostgresBackend, postgres_url: str, kind: str) -> None:
    """If the caller rolls back, neither the job nor its queue is stored, and its key stays free."""
    with caller(kind, postgres_url) as connection:
        backend.insert([NewRecord(kind="k", unique_key="key")], transaction=connection)
        connection.rollback()
        assert (backend.stats().total, backend.queues()) == (0, [])
        [inserted] = backend.insert([NewRecord(kind="k", unique_key="key")], transaction=connection)
    assert inserted.created


@pytest.mark.parametrize("kind", SYNC)
def test_an_aborted_transaction_is_rejected(backend: PostgresBackend, postgres_url: str, kind: str) -> None:
    """A transaction with a failed statement is rejected until it is rolled back."""
    with caller(kind, postgres_url) as connection:
        with pytest.raises(Exception, match="division by zero"):
            connection.execute(statement(connection, "SELECT 1 / 0"))
        with pytest.raises(InvalidArgument, match="roll it back"):
            backend.insert([NewRecord(kind="k")], transaction=connection)
        connection.rollback()
        backend.insert([NewRecord(kind="k")], transaction=connection)
        connection.commit()
    assert backend.stats().total == 1


@pytest.mark.parametrize("kind", SYNC)
def test_autocommit_is_rejected(backend: PostgresBackend, postgres_url: str, kind: str) -> None:
    """A connection in autocommit mode is rejected, because it has no transaction."""
    options: dict[str, Any] = {"autocommit": True} if kind == "psycopg" else {"isolation_level": "AUTOCOMMIT"}
    with caller(kind, postgres_url, **options) as connection, pytest.raises(InvalidArgument, match="autocommit"):
        backend.insert([NewRecord(kind="k")], transaction=connection)
    assert backend.stats().total == 0


def test_a_transaction_block_in_autocommit_mode(backend: PostgresBackend, postgres_url: str) -> None:
    """A `connection.transaction()` block is accepted, even in autocommit mode."""
    with psycopg.connect(postgres_url, autocommit=True) as connection, connection.transaction():
        backend.insert([NewRecord(kind="k")], transaction=connection)
        assert backend.stats().total == 0
    assert backend.stats().total == 1


def test_other_objects_are_rejected(backend: PostgresBackend, postgres_url: str) -> None:
    """Other types, closed connections, a pipeline, and a session of another database are rejected."""
    elsewhere = sqlalchemy.create_engine("sqlite://")
    with psycopg.connect(postgres_url) as connection, elsewhere.connect() as other, orm.Session() as unbound:
        closed_psycopg = psycopg.connect(postgres_url)
        closed_psycopg.close()
        engine = sqlalchemy.create_engine(alchemy_url(postgres_url, "psycopg"))
        closed = engine.connect()
        closed.close()
        for wrong, message in (
            (object(), "of type builtins.object"),
            (connection.cursor(), "of type psycopg.Cursor"),
            (engine, "of type sqlalchemy.engine.base.Engine"),
            (closed_psycopg, "closed"),
            (closed, "cannot be used: .*closed"),
            (other, "connection to sqlite"),
            (unbound, "cannot be used"),
        ):
            with pytest.raises(InvalidArgument, match=message):
                backend.insert([NewRecord(kind="k")], transaction=wrong)
        with connection.pipeline():
            connection.execute("SELECT 1")
            with pytest.raises(InvalidArgument, match="pipeline"):
                backend.insert([NewRecord(kind="k")], transaction=connection)
        engine.dispose()
    elsewhere.dispose()
    assert backend.stats().total == 0


def test_the_callers_own_readers_do_not_matter(backend: PostgresBackend, postgres_url: str) -> None:
    """Duplicates are read correctly, whatever row factory and loaders the connection has."""

    class Loud(psycopg.adapt.Loader):
        def load(self, data: object) -> str:
            return "loud"

    with psycopg.connect(postgres_url, row_factory=dict_row) as connection:
        for name in ("uuid", "text", "bytea", "timestamptz", "bool", "int4"):
            connection.adapters.register_loader(name, Loud)
        new = NewRecord(kind="k", **RICH)  # type: ignore[arg-type]  # fields by name
        [first] = backend.insert([new], transaction=connection)
        [again] = backend.insert([new], transaction=connection)
        assert again == first._replace(created=False)
        row = connection.execute("SELECT 'a'::text AS a").fetchone()
        assert row == {"a": "loud"}


def test_a_missing_store_is_not_set_up(backend: PostgresBackend, postgres_url: str) -> None:
    """With every driver, a missing store raises NotSetUp."""
    backend.teardown()
    for kind in SYNC:
        with caller(kind, postgres_url) as connection, pytest.raises(NotSetUp):
            backend.insert([NewRecord(kind="k")], transaction=connection)


def test_closed(backend: PostgresBackend, url: str, postgres_url: str) -> None:
    """A closed backend rejects inserts in a caller's transaction too."""
    with PostgresBackend.from_url(url) as other:
        pass
    with psycopg.connect(postgres_url) as connection, pytest.raises(Closed):
        other.insert([NewRecord(kind="k")], transaction=connection)


def test_sqlalchemy_is_not_imported(url: str, backend: PostgresBackend) -> None:
    """An application that does not use SQLAlchemy does not import it, not even by an insert in a transaction."""
    program = f"""
import sys
import psycopg
from tallystick import NewRecord, open_backend
with open_backend({url!r}) as backend, backend.transaction() as transaction:
    backend.insert([NewRecord(kind="k")], transaction=transaction)
    try:
        backend.insert([NewRecord(kind="k")], transaction=object())
    except ValueError:
        pass
assert not {{"sqlalchemy", "asyncpg"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert backend.stats().total == 1
