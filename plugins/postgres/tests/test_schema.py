"""Setting up the schema: concurrently, atomically, and never over foreign objects."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread

import psycopg
import pytest
from support import PATIENCE
from tallystick import ConfigurationError, ForeignStore, NewRecord, NotSetUp
from tallystick_postgres import PostgresBackend, connections, search
from tallystick_postgres import schema as schemas
from tallystick_postgres.connections import Connection
from tallystick_postgres.location import Location


def test_a_foreign_schema_is_kept(connection: psycopg.Connection, url: str, schema: str) -> None:
    """A schema with foreign objects is rejected and not changed; an empty one is used."""
    connection.execute(f'CREATE SCHEMA "{schema}"')
    connection.execute(f"CREATE TYPE \"{schema}\".mood AS ENUM ('sad')")
    with PostgresBackend.from_url(url) as backend:
        for call in (backend.setup, backend.teardown, backend.stats):
            with pytest.raises(ForeignStore, match="was not created by Tallystick"):
                call()
        connection.execute(f'DROP TYPE "{schema}".mood')
        backend.setup()
        assert backend.stats().total == 0


def test_teardown_keeps_foreign_tables(connection: psycopg.Connection, backend: PostgresBackend, schema: str) -> None:
    """`teardown` keeps an application's table in the schema, and `setup` then rejects the schema."""
    connection.execute(f'CREATE TABLE "{schema}".orders ()')
    backend.teardown()
    connection.execute(f'SELECT FROM "{schema}".orders')
    with pytest.raises(ForeignStore):
        backend.setup()
    connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


def test_many_set_up_at_once(url: str) -> None:
    """Concurrent setups create the store once, and all of them succeed."""
    barrier = Barrier(8, timeout=PATIENCE)
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


def test_many_create_the_search_indexes_at_once(connection: psycopg.Connection, url: str, schema: str) -> None:
    """Concurrent setups create the optional indexes once; a plain setup keeps them, and search=false drops them."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_set_up, [f"{url}&search=true"] * 4))
    _set_up(url)
    assert _search_indexes(connection, schema) == {
        "jobs_search_kinds": True,
        "jobs_search_queues": True,
        "jobs_search_workers": True,
    }
    _set_up(f"{url}&search=false")
    assert _search_indexes(connection, schema) == {}


def test_a_waiting_setup_is_in_no_transaction(
    connection: psycopg.Connection, postgres_url: str, url: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it waits for another setup, no transaction is open, for which the other's `CREATE INDEX` would wait."""
    _set_up(url)
    states: list[object] = []
    with psycopg.connect(postgres_url) as other:
        other.execute(Location.parse(url).queries.try_lock_search)

        def pause(seconds: float) -> None:
            query = "SELECT state FROM pg_stat_activity WHERE pid = ANY (%s)"
            pids = [each.info.backend_pid for each in opened if not each.closed]
            states.extend(state for [state] in connection.execute(query, [pids]).fetchall())
            other.commit()

        opened: list[Connection] = []

        def connect(location: Location) -> Connection:
            opened.append(connections.connect(location))
            return opened[-1]

        monkeypatch.setattr(search, "connect", connect)
        monkeypatch.setattr(search, "sleep", pause)
        _set_up(f"{url}&search=true")
    assert states == ["idle"]
    assert all(_search_indexes(connection, schema).values())


def test_an_invalid_search_index_is_replaced(connection: psycopg.Connection, url: str, schema: str) -> None:
    """Setup replaces an optional index that an interrupted setup left invalid."""
    _set_up(f"{url}&search=true")
    connection.execute(
        "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = %s::regclass", [f'"{schema}".jobs_search_kinds']
    )
    _set_up(f"{url}&search=true")
    assert all(_search_indexes(connection, schema).values())


def _set_up(url: str) -> None:
    with PostgresBackend.from_url(url) as backend:
        backend.setup()


def _search_indexes(connection: psycopg.Connection, schema: str) -> dict[str, bool]:
    found = connection.execute(
        """SELECT class.relname, index.indisvalid
        FROM pg_index AS index JOIN pg_class AS class ON class.oid = index.indexrelid
        WHERE class.relnamespace = %s::regnamespace AND class.relname LIKE 'jobs_search_%%'""",
        [f'"{schema}"'],
    )
    return dict(found.fetchall())


def test_a_newer_schema_is_rejected(
    connection: psycopg.Connection, backend: PostgresBackend, url: str, schema: str
) -> None:
    """An older client rejects a newer schema at its first call and at setup."""
    connection.execute(f'INSERT INTO "{schema}".tallystick_migrations (version) VALUES (99)')
    with PostgresBackend.from_url(url) as old:
        for call in (old.stats, old.setup):
            with pytest.raises(NotSetUp, match="version 99, created by a newer tallystick-postgres"):
                call()
    connection.execute(f'DELETE FROM "{schema}".tallystick_migrations WHERE version = 99')


def test_an_interrupted_setup_leaves_nothing(
    connection: psycopg.Connection, url: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setup that fails at its last statement leaves nothing behind."""
    with PostgresBackend.from_url(url) as backend:
        queries = backend._location.queries
        monkeypatch.setattr(queries, "add_migration", "SELECT 1 / 0")
        with pytest.raises(Exception, match="division by zero"):
            backend.setup()
    found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchall()
    assert found == []


def test_old_servers_are_rejected(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server older than the oldest supported version is rejected, and the error names the version."""
    monkeypatch.setattr(schemas, "OLDEST_SERVER", 99)
    with PostgresBackend.from_url(url) as backend:
        for call in (backend.setup, backend.stats):
            with pytest.raises(ConfigurationError, match="Tallystick needs 99 or later"):
                call()
    monkeypatch.undo()
