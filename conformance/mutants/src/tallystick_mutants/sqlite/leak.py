"""Bugs in resources that are leaked, and in how a store is opened and set up."""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Self

from tallystick import Record, TallystickError
from tallystick_sqlite import SqliteBackend, schema
from tallystick_sqlite.connection import Connection
from tallystick_sqlite.location import Location

from ..patch import SQLITE

_kept: list[Any] = []
_first: dict[str, Any] = {}


class KeepsConnections(SqliteBackend):
    """close keeps connections in a pool that no client uses."""

    def close(self) -> None:
        with suppress(TallystickError):
            self._reader.read(_kept.append)
            self._reader = Connection(self._location, self._lifetime)
            self._connections = (self._watcher, self._reader, self._writer)
        super().close()


class KeepsOneOfEachStore(SqliteBackend):
    """When the first client of a store closes, it keeps a connection open."""

    def close(self) -> None:
        path = str(self._location.path)
        if path not in _first:
            with suppress(TallystickError):
                _first[path] = schema.open_store(self._location)
        super().close()


class ScansWhenEmpty(SqliteBackend):
    """A claim that finds no job reads the whole table to log a figure."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = super().claim(queues, **options)
        if not claimed:
            self._reader.read(
                lambda reader: reader.execute("SELECT sum(length(payload)) FROM tallystick_jobs").fetchone()
            )
        return claimed


class KeepsWhatItRefused(SqliteBackend):
    """A call opens a resource before it validates its arguments."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        answer = super().rescue(limit=limit, now=now)
        os.close(descriptor)
        return answer


class KeepsItsListener(SqliteBackend):
    """A wait that has to sleep starts a thread that close does not end."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        if super().wait(queues, timeout=timedelta(0)):
            return True
        if timeout:
            Thread(target=Event().wait, args=(60,), daemon=True).start()
        return super().wait(queues, timeout=timeout)


class ForksInCalls(SqliteBackend):
    """A fork does not wait for other threads' calls, so the child inherits locks that they hold."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        for connection in self._connections:
            connection.stop_calls = lambda: None  # type: ignore[method-assign]
            connection.pause = lambda seconds: True  # type: ignore[method-assign]  # does not pause
            connection.resume = lambda: None  # type: ignore[method-assign]


class SetsUpOnce(SqliteBackend):
    """setup creates a marker next to the file, and fails if the marker exists."""

    def setup(self) -> None:
        self._lifetime.check()
        mark = self._location.path.with_suffix(".making")
        mark.touch(exist_ok=False)
        super().setup()
        mark.unlink()


class TakesAnyOption(SqliteBackend):
    """Unknown options in the URL are ignored."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        return super().from_url(url.partition("?")[0])


MUTANTS = (
    SQLITE.mutant("keeps connections", "LEAK-01", KeepsConnections),
    SQLITE.mutant("keeps one of each store", "LEAK-01", KeepsOneOfEachStore),
    SQLITE.mutant("scans when it is empty", "COST-01", ScansWhenEmpty),
    SQLITE.mutant("keeps what it refused", "LEAK-02", KeepsWhatItRefused),
    SQLITE.mutant("keeps its listener", "LEAK-03", KeepsItsListener),
    SQLITE.mutant("forks in calls", "FORK-02", ForksInCalls),
    SQLITE.mutant("sets up once at a time", "SETUP-05", SetsUpOnce, "L1"),
    SQLITE.mutant("takes any option", "SETUP-06", TakesAnyOption),
)
