"""Databases that contain a store and a table of the application, which records the effects of jobs."""

import os
import sqlite3
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import psycopg
from pymongo import MongoClient
from tallystick_mongo.location import Location


class Home(ABC):
    """A store with a table of effects, and transactions on both that commit or roll back at the end of their block."""

    def __init__(self, url: str) -> None:
        self.url = url

    @staticmethod
    def of(url: str) -> "Home":
        """Return the one for a backend's URL."""
        return _HOMES[url.partition(":")[0]](url)

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Any]:
        """Begin a transaction, as passed to `complete`."""

    @abstractmethod
    def build(self) -> None:
        """Create the table of effects; the store is set up already."""

    @abstractmethod
    def record_effect(self, transaction: Any, effect: int) -> None:
        """Record an effect."""

    @abstractmethod
    def effects(self) -> list[int]:
        """Return all committed effects."""

    @abstractmethod
    def clear(self) -> None:
        """Remove the table of effects."""


class SqlHome(Home):
    """An SQL table; its transactions are connections."""

    table = "effects"

    def build(self) -> None:
        self._execute(f"CREATE TABLE {self.table} (effect integer)")

    def record_effect(self, transaction: Any, effect: int) -> None:
        transaction.execute(f"INSERT INTO {self.table} VALUES ({effect:d})")

    def effects(self) -> list[int]:
        return [effect for (effect,) in self._execute(f"SELECT effect FROM {self.table} ORDER BY effect")]

    def clear(self) -> None:
        self._execute(f"DROP TABLE {self.table}")

    def _execute(self, statement: str) -> list[Any]:
        with self.transaction() as connection:
            cursor = connection.execute(statement)
            return list(cursor) if cursor.description else []


class SqliteHome(SqlHome):
    """A table in the store's file."""

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        path = self.url.removeprefix("sqlite:///").partition("?")[0]
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection


class PostgresHome(SqlHome):
    """A table in the store's schema."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._database, _, schema = url.partition("?schema=")
        self.table = f'"{schema}".effects'

    def transaction(self) -> AbstractContextManager[Any]:
        return psycopg.connect(self._database)


class MongoHome(Home):
    """A collection next to the store's; its transactions are sessions."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._location = Location.parse(url)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with self._client() as client, client.start_session() as session, session.start_transaction():
            yield session

    def build(self) -> None:
        with self._client() as client:
            client[self._location.database].create_collection(self._location.named("effects"))

    def record_effect(self, transaction: Any, effect: int) -> None:
        self._collection(transaction.client).insert_one({"effect": effect}, session=transaction)

    def effects(self) -> list[int]:
        with self._client() as client:
            return sorted(found["effect"] for found in self._collection(client).find())

    def clear(self) -> None:
        with self._client() as client:
            self._collection(client).drop()

    def _client(self) -> "MongoClient[Any]":
        return MongoClient(self._location.uri, **self._location.arguments)

    def _collection(self, client: "MongoClient[Any]") -> Any:
        return client[self._location.database][self._location.named("effects")]


_HOMES: dict[str, type[Home]] = {"sqlite": SqliteHome, "postgresql": PostgresHome, "mongodb": MongoHome}


def print_line(word: str) -> None:
    """Print a word for the test in one write."""
    os.write(sys.stdout.fileno(), f"{word}\n".encode())
