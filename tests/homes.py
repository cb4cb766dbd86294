"""Databases that have both a store of jobs and a table of the application's own, which notes each effect of a job."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg


class Home:
    """A store, and connections to where it is. Its transactions commit at the end of the block, or roll back."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connect = self._postgres if url.startswith("postgresql:") else self._sqlite

    @contextmanager
    def _sqlite(self) -> Iterator[Any]:
        path = self.url.removeprefix("sqlite:///").partition("?")[0]
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _postgres(self) -> Iterator[Any]:
        with psycopg.connect(self.url.partition("?")[0]) as connection:
            yield connection

    @property
    def table(self) -> str:
        """The name of the application's table, a part of the store's schema where there are schemas."""
        schema = self.url.partition("?schema=")[2]
        return f'"{schema}".effects' if schema else "effects"

    def build(self) -> None:
        """Make the table; the store is set up already."""
        with self.connect() as connection:
            connection.execute(f"CREATE TABLE {self.table} (effect integer)")

    def note(self, connection: Any, effect: int) -> None:
        """Have an effect, in a transaction."""
        connection.execute(f"INSERT INTO {self.table} VALUES ({effect:d})")

    def effects(self) -> list[int]:
        """Return every effect that was committed."""
        with self.connect() as connection:
            return [effect for (effect,) in connection.execute(f"SELECT effect FROM {self.table} ORDER BY effect")]


def say(word: str) -> None:
    """Tell the test, in one write."""
    os.write(sys.stdout.fileno(), f"{word}\n".encode())
