"""Read the counts of records, and the known queues."""

import sqlite3

from tallystick import Queue, Stats
from tallystick.backends import counting
from tallystick.backends.calls import StatsCall
from tallystick.backends.decoding import optional_moment
from tallystick.backends.times import micros

from . import search
from .queries import Queries


def stats(connection: sqlite3.Connection, queries: Queries, call: StatsCall) -> Stats:
    """Count the records."""
    query = queries.stats_ledger if search.exists(connection, queries) else queries.stats
    groups = connection.execute(query, {"now": micros(call.now)}).fetchall()
    counts = (
        counting.Count(queue, kind, state, total, due, optional_moment(oldest))
        for queue, kind, state, total, due, oldest in groups
    )
    return counting.stats(counts, queues(connection, queries))


def queues(connection: sqlite3.Connection, queries: Queries) -> list[Queue]:
    """Return the known queues, sorted by name."""
    return [Queue(name, bool(paused)) for name, paused in connection.execute(queries.queues)]
