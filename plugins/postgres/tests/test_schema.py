"""Making the schema: at once by many, never in another's place, never half."""

from threading import Barrier, Thread

import psycopg
import pytest
from tallystick import ConfigurationError, ForeignStore, NewRecord, NotSetUp
from tallystick_postgres import PostgresBackend
from tallystick_postgres import schema as schemas


def test_a_schema_of_others_is_left_alone(connection: psycopg.Connection, url: str, schema: str) -> None:
    """A schema that has something of somebody else is refused and not changed; an empty one is used."""
    connection.execute(f'CREATE SCHEMA "{schema}"')
    connection.execute(f"CREATE TYPE \"{schema}\".mood AS ENUM ('sad')")
    with PostgresBackend.from_url(url) as backend:
        for call in (backend.setup, backend.teardown, backend.stats):
            with pytest.raises(ForeignStore, match="was not created by Tallystick"):
                call()
        connection.execute(f'DROP TYPE "{schema}".mood')
        backend.setup()
        assert backend.stats().total == 0


def test_teardown_leaves_what_others_made(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str
) -> None:
    """A table of an application in our schema outlives teardown, and setup then refuses the schema."""
    connection.execute(f'CREATE TABLE "{schema}".orders ()')
    backend.teardown()
    connection.execute(f'SELECT FROM "{schema}".orders')
    with pytest.raises(ForeignStore):
        backend.setup()
    connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


def test_many_set_up_at_once(url: str) -> None:
    """Of clients that set up at once each finds the store made, once."""
    barrier = Barrier(8)
    failed: list[Exception] = []

    def set_up() -> None:
        with PostgresBackend.from_url(url) as client:
            barrier.wait()
            try:
                client.setup()
                client.insert([NewRecord(kind="k")])
            except Exception as exc:
                failed.append(exc)

    threads = [Thread(target=set_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with PostgresBackend.from_url(url) as client:
        assert client.stats().total == 8


def test_a_newer_schema_is_refused(
    connection: psycopg.Connection, backend: PostgresBackend, url: str, schema: str
) -> None:
    """A client that is older than the schema says so, at its first call and at setup."""
    connection.execute(f'INSERT INTO "{schema}".tallystick_migrations (version) VALUES (99)')
    with PostgresBackend.from_url(url) as old:
        for call in (old.stats, old.setup):
            with pytest.raises(NotSetUp, match="version 99, created by a newer tallystick-postgres"):
                call()
    connection.execute(f'DELETE FROM "{schema}".tallystick_migrations WHERE version = 99')


def test_an_interrupted_setup_leaves_nothing(
    connection: psycopg.Connection, url: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setup that fails at its last statement has made nothing."""
    with PostgresBackend.from_url(url) as backend:
        queries = backend._location.queries
        monkeypatch.setattr(queries, "add_migration", "SELECT 1 / 0")
        with pytest.raises(Exception, match="division by zero"):
            backend.setup()
    found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchall()
    assert found == []


def test_old_servers_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server older than the oldest that is supported is told by its version."""
    monkeypatch.setattr(schemas, "OLDEST_SERVER", 99)
    with PostgresBackend.from_url(url) as backend:
        for call in (backend.setup, backend.stats):
            with pytest.raises(ConfigurationError, match="Tallystick needs 99 or later"):
                call()
    monkeypatch.undo()
