"""Read the counts of records, and the known queues."""

import sqlite3

from tallystick import Queue, Stats
from tallystick.backends import counting
from tallystick.backends.calls import StatsCall
from tallystick.backends.decoding import optional_moment
from tallystick.backends.times import micros

from .queries import Queries


def stats(connection: sqlite3.Connection, queries: Queries, call: StatsCall) -> Stats:
    """Count the records."""
    groups = connection.execute(queries.stats, {"now": micros(call.now)}).fetchall()
    counts = (
        counting.Count(queue, kind, state, total, due, optional_moment(oldest))
        for queue, kind, state, total, due, oldest in groups
    )
    return counting.stats(counts, queues(connection, queries))


def queues(connection: sqlite3.Connection, queries: Queries) -> list[Queue]:
    """Return the known queues, sorted by name."""
    return [Queue(name, bool(paused)) for name, paused in connection.execute(queries.queues)]
