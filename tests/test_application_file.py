"""The conformance kit on stores in an application's own SQLite file, which has no write-ahead log."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from tallystick import Backend, open_backend
from tallystick_conformance import conform

HEADER = {"page_size": 8192, "application_id": 7, "user_version": 3, "journal_mode": "delete"}


def in_application_file(folder: Path, namespace: str) -> Backend:
    """Open a store in the file of an application, which exists before the store does."""
    path = folder / f"{namespace}.db"
    if not path.exists():
        new = folder / uuid4().hex
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            for name, value in HEADER.items():
                connection.execute(f"PRAGMA {name} = {value}")
            connection.execute("CREATE TABLE orders (number)")
            connection.execute("INSERT INTO orders VALUES (1)")
        with suppress(FileExistsError):  # another client has created it
            os.link(new, path)
        new.unlink()
    return open_backend(f"sqlite:///{path}?prefix=mail")


def assert_conforms(folder: Path, only: Sequence[str]) -> None:
    report = conform(partial(in_application_file, folder), only=only)
    assert report.passed, report.violations
    for path in folder.iterdir():
        with closing(sqlite3.connect(path)) as connection:
            found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in HEADER}
            names = connection.execute("SELECT name FROM sqlite_schema").fetchall()
            rows = connection.execute("SELECT number FROM orders").fetchall()
        assert (found, names, rows) == (HEADER, [("orders",)], [(1,)])


@pytest.mark.kit
def test_a_store_in_an_applications_file_keeps_the_contract(tmp_path: Path) -> None:
    """Setup, transactions, crashes and forks work in such a file, and the application's part of it stays as it was."""
    assert_conforms(tmp_path, ["SETUP-01", "SETUP-02", "SETUP-05", "SETUP-08", "SETUP-09", "CAP", "CRASH-01", "FORK"])


@pytest.mark.kit
def test_a_store_in_an_applications_file_keeps_every_clause(tmp_path: Path) -> None:
    """The whole contract holds in such a file, too."""
    assert_conforms(tmp_path, [])
