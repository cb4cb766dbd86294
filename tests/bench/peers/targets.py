"""New, empty databases for each measurement, and queries of the jobs that are left in them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from urllib.parse import urlsplit

import psycopg

from .systems import POSTGRES, System

_LOOK = 0.02
_DATABASE = "bench_peers"
_BY_URL = ("on_tallystick", "on_backend", "on_workloads")


@contextmanager
def target(system: System, server: str) -> Iterator[str]:
    """Yield what the adapter connects to: the URL of a new database, or the path of a new file."""
    if system.store == POSTGRES:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {_DATABASE}")
            yield urlsplit(server)._replace(path=f"/{_DATABASE}").geturl()
            connection.execute(f"DROP DATABASE {_DATABASE} WITH (FORCE)")
        return
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "bench.db")
        yield f"sqlite:///{path}" if system.adapter in _BY_URL else path


def wait_until_empty(left: str, target: str) -> float:
    """Wait until a query for jobs that wait or run returns no row; return when."""
    with _query(left, target) as is_left:
        while is_left():
            sleep(_LOOK)
        return monotonic()


@contextmanager
def _query(query: str, target: str) -> Iterator[Callable[[], bool]]:
    if target.startswith("postgresql"):
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute("SET enable_seqscan = off")  # finished records stay in some of the tables
            yield lambda: connection.execute(query).fetchone() is not None
        return
    file = sqlite3.connect(target.removeprefix("sqlite:///"), timeout=60)
    try:
        yield lambda: file.execute(query).fetchone() is not None
    finally:
        file.close()
