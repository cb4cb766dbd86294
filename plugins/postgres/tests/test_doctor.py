"""Each finding of the doctor, provoked."""

import os
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from servers import PGBOUNCER, pgbouncer
from support import eventually
from tallystick import Finding, ForeignStore, NewRecord, Severity, Unavailable
from tallystick_postgres import PostgresBackend, doctor, doctor_connections, doctor_tables

OK, WARNING, FAULT = Severity.OK, Severity.WARNING, Severity.FAULT


def found(backend: PostgresBackend, name: str, concurrency: int | None = None) -> Finding:
    return next(finding for finding in backend.diagnose(concurrency=concurrency) if finding.name == name)


def set_for_sessions(url: str, setting: str) -> PostgresBackend:
    """Return a backend whose sessions start with a setting."""
    return PostgresBackend.from_url(f"{url}&options=-c%20{setting}")


def test_a_healthy_store(backend: PostgresBackend) -> None:
    """A healthy store has no faults, and only findings that are not OK have advice."""
    backend.insert([NewRecord(kind="k")])
    findings = backend.diagnose(concurrency=10)
    assert [finding.name for finding in findings] == [
        "server version",
        "read-only",
        "default isolation",
        "synchronous_commit",
        "clock",
        "pool size",
        "free connections",
        "oldest transaction",
        "pooler",
        "notifications",
        "schema version",
        "indexes",
        "search indexes",
        "triggers",
        "dead rows of counts",
        "dead rows of jobs",
        "ledger",
    ]
    assert [finding for finding in findings if finding.severity is FAULT] == []
    assert all(bool(finding.advice) is (finding.severity is not OK) for finding in findings)


def test_a_store_that_is_not_set_up(url: str) -> None:
    """A store that is not set up is a fault with the command to run; an unreachable server is an error."""
    with PostgresBackend.from_url(url) as backend:
        finding = backend.diagnose()[-1]
        assert (finding.name, finding.severity, "tallystick setup" in finding.advice) == ("schema version", FAULT, True)
    with PostgresBackend.from_url("postgresql://127.0.0.1:1/nowhere") as nowhere, pytest.raises(Unavailable):
        nowhere.diagnose()


def test_a_schema_of_others(connection: psycopg.Connection, url: str, schema: str) -> None:
    """A foreign schema is rejected, as by every call."""
    connection.execute(f'CREATE SCHEMA "{schema}" CREATE TABLE mine ()')
    with PostgresBackend.from_url(url) as backend, pytest.raises(ForeignStore):
        backend.diagnose()
    connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


def test_indexes(backend: PostgresBackend, connection: psycopg.Connection, schema: str) -> None:
    """An invalid index and a missing one are faults that name it."""
    connection.execute(
        f"UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = '\"{schema}\".jobs_leases'::regclass"
    )
    finding = found(backend, "indexes")
    assert (finding.severity, finding.found) == (FAULT, "invalid: jobs_leases")
    connection.execute(f'DROP INDEX "{schema}".jobs_waiting')
    finding = found(backend, "indexes")
    assert (finding.severity, finding.found) == (FAULT, "missing: jobs_waiting")


def test_search_indexes(backend: PostgresBackend, connection: psycopg.Connection, url: str, schema: str) -> None:
    """The doctor reports whether the optional indexes exist; a missing one is a warning, and setup creates it."""
    assert found(backend, "search indexes").found.startswith("none")
    with PostgresBackend.from_url(f"{url}&search=true") as searched:
        searched.setup()
        assert found(backend, "search indexes").found == "all 3 exist and are valid"
        connection.execute(f'DROP INDEX "{schema}".jobs_search_kinds')
        finding = found(backend, "search indexes")
        assert (finding.severity, finding.found) == (WARNING, "missing or invalid: jobs_search_kinds")
        searched.setup()
    assert found(backend, "search indexes").severity is OK


def test_triggers_and_the_ledger(backend: PostgresBackend, connection: psycopg.Connection, schema: str) -> None:
    """A disabled trigger is a fault, and so is a ledger that misses changes, until it is rebuilt."""
    connection.execute(f'ALTER TABLE "{schema}".jobs DISABLE TRIGGER jobs_inserted')
    backend.insert([NewRecord(kind="k", queue="q") for _ in range(3)])
    assert "jobs_inserted" in found(backend, "triggers").found
    connection.execute(f'ALTER TABLE "{schema}".jobs ENABLE TRIGGER jobs_inserted')
    assert found(backend, "triggers").severity is OK
    finding = found(backend, "ledger")
    assert finding.severity is FAULT
    assert "0 instead of 3 pending jobs of queue 'q', kind 'k'" in finding.found
    connection.execute(f'SET search_path TO "{schema}"')
    connection.execute("DELETE FROM counts")
    connection.execute("INSERT INTO counts SELECT count(*), queue, kind, state FROM jobs GROUP BY queue, kind, state")
    assert found(backend, "ledger").severity is OK
    assert backend.stats().total == 3


def test_an_old_transaction(backend: PostgresBackend, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old transaction is a warning with its age, pid, application and state, and the statement that ends it."""
    with psycopg.connect(postgres_url, application_name="forgetful") as other:
        other.execute("SELECT 1")
        assert found(backend, "oldest transaction").severity is OK
        monkeypatch.setattr(doctor, "OLD", timedelta(0))
        finding = found(backend, "oldest transaction")
    assert finding.severity is WARNING
    assert "pg_terminate_backend(" in finding.advice


def test_dead_rows(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many dead rows are a warning."""
    monkeypatch.setattr(doctor_tables, "MANY_DEAD", 10)
    connection.execute(f'ALTER TABLE "{schema}".jobs SET (autovacuum_enabled = FALSE)')
    backend.insert([NewRecord(kind="k") for _ in range(20)])
    connection.execute(f'DELETE FROM "{schema}".jobs')
    connection.execute("SELECT pg_stat_force_next_flush()")
    eventually(lambda: found(backend, "dead rows of jobs").severity is WARNING)
    assert "VACUUM" in found(backend, "dead rows of jobs").advice


def test_the_pool(backend: PostgresBackend, url: str) -> None:
    """A pool that is too small for the worker or its handlers, and a full server, are warnings with numbers."""
    assert found(backend, "pool size", concurrency=20).severity is OK
    finding = found(backend, "pool size", concurrency=100)
    assert (finding.severity, "?pool_size=9" in finding.advice) == (WARNING, True)
    with PostgresBackend.from_url(f"{url}&pool_size=1") as small:
        assert found(small, "pool size").severity is WARNING
    with PostgresBackend.from_url(f"{url}&pool_size=1000") as large:
        assert found(large, "free connections").severity is WARNING


def test_clocks(backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks that differ too much are a warning with the difference."""
    monkeypatch.setattr(doctor, "CLOCK", timedelta(days=-1))
    assert found(backend, "clock").severity is WARNING


def test_settings_of_the_server(backend: PostgresBackend, url: str) -> None:
    """Asynchronous commits are a warning, a read-only database is a fault, and the isolation level is shown."""
    with set_for_sessions(url, "synchronous_commit=off") as asynchronous:
        assert found(asynchronous, "synchronous_commit").severity is WARNING
    with set_for_sessions(url, "default_transaction_read_only=on") as standby:
        assert found(standby, "read-only").severity is FAULT
    with set_for_sessions(url, "default_transaction_isolation=serializable") as strict:
        assert found(strict, "default isolation").found.startswith("serializable")


def test_messages_that_do_not_arrive(backend: PostgresBackend, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notifications that do not arrive are a fault; with notify=false the finding is OK."""
    with PostgresBackend.from_url(f"{url}&notify=false") as quiet:
        assert found(quiet, "notifications").severity is OK
    monkeypatch.setattr(doctor_connections, "_arrives", lambda location: False)
    finding = found(backend, "notifications")
    assert (finding.severity, "notify=false" in finding.advice) == (FAULT, True)


@pytest.fixture(params=["transaction", "session"])
def pooled_url(request: pytest.FixtureRequest, url: str) -> Iterator[tuple[str, str]]:
    """Yield the mode of a PgBouncer, and the URL of the store through it."""
    if PGBOUNCER is None and not os.environ.get("CI"):
        pytest.skip("pgbouncer is not installed")
    with pgbouncer(url, request.param) as pooled:
        yield request.param, pooled


def test_a_pooler(backend: PostgresBackend, pooled_url: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A pooler in transaction mode is a fault, unless notify is off; one in session mode is not."""
    mode, url = pooled_url
    monkeypatch.setattr(doctor_connections, "_ARRIVAL_SECONDS", 0.5)
    with PostgresBackend.from_url(url) as pooled:
        finding = found(pooled, "pooler")
        assert f"one in {mode} mode" in finding.found
        assert finding.severity is (FAULT if mode == "transaction" else OK)
    with PostgresBackend.from_url(f"{url}&notify=false") as quiet:
        assert found(quiet, "pooler").severity is OK
