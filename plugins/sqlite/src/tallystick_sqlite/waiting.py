"""Wait for due jobs: look for commits of other connections, and query the next due time after each."""

import sqlite3
from datetime import UTC, datetime

from tallystick.backends import waiting
from tallystick.backends.calls import WaitCall
from tallystick.backends.lifetime import Lifetime
from tallystick.backends.times import micros

from . import claiming
from .connection import Connection
from .file_changes import FileChanges
from .queries import Queries
from .rows import json_list


def wait(watcher: Connection, changes: FileChanges, queries: Queries, lifetime: Lifetime, call: WaitCall) -> bool:
    """Wait until a job is due; return False at the timeout, or once the client is closed."""
    pauses = changes.pauses()

    def sleep(seconds: float) -> bool:
        pauses.sleep(seconds)
        return not lifetime.has_ended

    return waiting.wait(_Look(watcher, queries, json_list(call.queues)), sleep, call.timeout)


class _Look:
    """Returns the seconds until the first job is due."""

    def __init__(self, watcher: Connection, queries: Queries, names: str | None) -> None:
        self._watcher = watcher
        self._queries = queries
        self._names = names
        self._seen: tuple[sqlite3.Connection, int] | None = None
        self._due: int | None = None

    def __call__(self) -> float | None:
        self._watcher.read(self._look)
        return None if self._due is None else (self._due - micros(datetime.now(UTC))) / 1_000_000

    def _look(self, connection: sqlite3.Connection) -> None:
        [version] = connection.execute(self._queries.data_version).fetchone()
        if (connection, version) != self._seen:  # versions of two connections do not compare; a fork reconnects
            self._seen, self._due = (connection, version), claiming.next_due(connection, self._queries, self._names)
