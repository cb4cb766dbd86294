from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from tallystick_postgres import PostgresBackend


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    """Return the URL of a new store, which is not set up."""
    url = PostgresBackend.namespaced(postgres_url, f"test_{uuid4().hex[:12]}")
    yield url
    with PostgresBackend.from_url(url) as backend:
        backend.teardown()


@pytest.fixture
def schema(url: str) -> str:
    return url.rpartition("schema=")[2]


@pytest.fixture
def backend(url: str) -> Iterator[PostgresBackend]:
    with PostgresBackend.from_url(url) as backend:
        backend.setup()
        yield backend


@pytest.fixture
def connection(postgres_url: str) -> Iterator[psycopg.Connection]:
    """Return an application's connection outside of a transaction."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection
