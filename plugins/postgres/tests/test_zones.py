"""Durations are elapsed time, whatever time zone and styles a server, role, database or URL sets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tallystick import Failure, NewRecord, Release, Retry
from tallystick_postgres import PostgresBackend

from .callers import SYNC, caller, statement
from .test_statement import by_asyncpg, by_psycopg, by_psycopg2, by_sqlalchemy

ZONE = "Europe/Berlin"
CHANGES = (datetime(2024, 3, 30, 12, tzinfo=UTC), datetime(2024, 10, 26, 12, tzinfo=UTC))
"""The day before the zone's clocks are set forward, and the day before they are set back."""

DAY = timedelta(days=1)
EXACT = timedelta(days=2_900_000, microseconds=1)
"""A duration whose microseconds a float cannot represent."""


@contextmanager
def role_with_zone(postgres_url: str) -> Iterator[str]:
    name = f"role_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN SUPERUSER")
        connection.execute(f"ALTER ROLE {name} SET timezone = '{ZONE}'")
        yield postgres_url.replace("postgres@", f"{name}@")
        connection.execute(f"DROP OWNED BY {name} CASCADE")
        connection.execute(f"DROP ROLE {name}")


@contextmanager
def database_with_zone(postgres_url: str) -> Iterator[str]:
    name = f"database_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"ALTER DATABASE {name} SET timezone = '{ZONE}'")
        yield postgres_url.removesuffix("postgres") + name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def url_with_options(options: str, postgres_url: str) -> Iterator[str]:
    yield f"{postgres_url}?options={options.replace(' ', '%20').replace('=', '%3D')}"


SESSIONS: dict[str, Callable[[str], Any]] = {
    "role": role_with_zone,
    "database": database_with_zone,
    "URL": lambda url: url_with_options(f"-c timezone={ZONE}", url),
    "URL, styles": lambda url: url_with_options(
        f"-c timezone={ZONE} -c datestyle=German,DMY -c intervalstyle=sql_standard", url
    ),
    "URL, POSIX zone": lambda url: url_with_options("-c timezone=CET-1CEST,M3.5.0,M10.5.0/3", url),
}


@pytest.fixture(params=SESSIONS)
def zoned(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[PostgresBackend]:
    """Yield a backend whose sessions are in a zone with summer time, set in one of several ways."""
    with (
        SESSIONS[request.param](postgres_url) as url,
        PostgresBackend.from_url(PostgresBackend.namespaced(url, f"zone_{uuid4().hex[:12]}")) as backend,
    ):
        backend.setup()
        yield backend
        backend.teardown()


@pytest.mark.parametrize("now", CHANGES, ids=["set forward", "set back"])
def test_days_have_24_hours(zoned: PostgresBackend, now: datetime) -> None:
    """Days of a delay, a lease, an extension, a retry and a release have exactly 24 hours."""
    [later] = zoned.insert([NewRecord(kind="later", run_at=DAY)], now=now)
    assert later.record.run_at == now + DAY
    zoned.insert([NewRecord(kind=kind) for kind in "ab"], now=now)
    claimed = zoned.claim(["default"], limit=2, worker="w", lease=2 * DAY, now=now)
    assert [record.lease_until for record in claimed] == [now + 2 * DAY] * 2
    a, b = (record.claim for record in claimed)
    zoned.extend([a], lease=DAY, now=now)
    assert zoned.get([a.id])[a.id].lease_until == now + DAY
    zoned.settle([Retry(a, 7 * DAY, Failure("E", "")), Release(b, 8 * DAY)], now=now)
    found = zoned.get([a.id, b.id])
    assert (found[a.id].run_at, found[b.id].run_at) == (now + 7 * DAY, now + 8 * DAY)


def test_long_delays_are_exact(zoned: PostgresBackend) -> None:
    """A delay of thousands of years is exact to the microsecond."""
    [later] = zoned.insert([NewRecord(kind="k", run_at=EXACT)], now=CHANGES[0])
    assert zoned.get([later.record.id])[later.record.id].run_at == later.record.run_at == CHANGES[0] + EXACT


def test_doctor_reads_every_style(zoned: PostgresBackend) -> None:
    """The findings do not depend on a session's date style."""
    assert {finding.name: finding.severity for finding in zoned.diagnose()}["clock"] == "ok"


@pytest.mark.parametrize("kind", SYNC)
def test_days_have_24_hours_in_a_callers_transaction(backend: PostgresBackend, postgres_url: str, kind: str) -> None:
    """Days have 24 hours in a caller's transaction too, with any driver and time zone."""
    with caller(kind, postgres_url) as transaction:
        transaction.execute(statement(transaction, f"SET LOCAL timezone = '{ZONE}'"))
        [inserted] = backend.insert([NewRecord(kind="k", run_at=DAY)], transaction=transaction, now=CHANGES[0])
        transaction.commit()
    assert backend.get([inserted.record.id])[inserted.record.id].run_at == inserted.record.run_at == CHANGES[0] + DAY


@pytest.mark.parametrize("execute", [by_psycopg, by_psycopg2, by_sqlalchemy, by_asyncpg])
def test_days_have_24_hours_in_the_statement(
    backend: PostgresBackend, postgres_url: str, schema: str, execute: Any
) -> None:
    """Days have 24 hours in `insert_statement` too, whatever the role's time zone."""
    with role_with_zone(postgres_url) as url:
        news = [NewRecord(kind="k", run_at=timedelta(days=200))]
        [(_, created_at, run_at)] = execute(url, schema, news)
    assert run_at.astimezone(UTC) - created_at.astimezone(UTC) == timedelta(days=200)
