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


def wait(due: "DueTime", changes: FileChanges, lifetime: Lifetime, call: WaitCall) -> bool:
    """Wait until a job is due; return False at the timeout, or once the client is closed."""
    pauses, names = changes.pauses(), json_list(call.queues)

    def sleep(seconds: float) -> bool:
        pauses.sleep(seconds)
        return not lifetime.has_ended

    return waiting.wait(lambda: due.seconds(names), sleep, call.timeout)


class DueTime:
    """The due time of the first job. It is queried again only after a commit, or for other queues."""

    def __init__(self, watcher: Connection, queries: Queries) -> None:
        self._watcher = watcher
        self._queries = queries
        self._last: tuple[object, int | None] = (None, None)  # what was seen, and the due time: one value, set at once

    def seconds(self, names: str | None) -> float | None:
        """Return the seconds until the first job of a JSON list of queues is due; None if no job waits."""
        due = self._watcher.read(self._look, names)
        return None if due is None else (due - micros(datetime.now(UTC))) / 1_000_000

    def _look(self, connection: sqlite3.Connection, names: str | None) -> int | None:
        [version] = connection.execute(self._queries.data_version).fetchone()
        seen = (connection, version, names)  # versions of two connections do not compare; a fork reconnects
        if seen != self._last[0]:
            self._last = seen, claiming.next_due(connection, self._queries, names)
        return self._last[1]
