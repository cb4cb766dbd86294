"""Change waiting jobs."""

import sqlite3
from collections.abc import Sequence
from uuid import UUID

from tallystick import CLAIMABLE
from tallystick.backends.calls import UpdateCall
from tallystick.backends.times import micros

from . import matching
from .matching import Change
from .queries import Queries


def update(connection: sqlite3.Connection, queries: Queries, call: UpdateCall) -> Sequence[UUID]:
    """Change matching jobs in a write transaction; return the ids of those that changed."""
    run_at, priority, queue = call.changes.run_at, call.changes.priority, call.changes.queue
    values = {"run_at": None if run_at is None else micros(run_at), "priority": priority, "queue": queue}
    changed = matching.change(connection, queries, Change(queries.update, CLAIMABLE, values), call)
    if changed and queue is not None:
        connection.execute(queries.add_queue, {"queue": queue})
    return changed
