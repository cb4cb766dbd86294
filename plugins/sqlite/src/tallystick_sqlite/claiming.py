"""Claim due jobs: execute `claim.sql`, without waiting for the write lock if no job is due."""

import logging
import sqlite3
from collections.abc import Sequence
from uuid import UUID

from tallystick import Record
from tallystick.backends.calls import ClaimCall
from tallystick.backends.decoding import NO_ATTEMPT_LEFT
from tallystick.backends.selection import claiming_order
from tallystick.backends.times import micros

from .connection import Connection
from .queries import Queries
from .rows import Parameters, Row, error_columns, json_list, records

logger = logging.getLogger("tallystick.sqlite")


def claim(reader: Connection, writer: Connection, queries: Queries, call: ClaimCall) -> Sequence[Record]:
    """Claim due jobs; return them in claiming order."""
    names, now = json_list(call.queues), micros(call.now)
    due = reader.read(next_due, queries, names)
    if due is None or due > now:
        return []
    until = micros(call.until)
    parameters = {"queues": names, "limit": call.limit, "worker": call.worker, "until": until, "now": now}
    return sorted(records(writer.write(_claim, queries, parameters)), key=claiming_order)


def next_due(connection: sqlite3.Connection, queries: Queries, names: str | None) -> int | None:
    """Return the earliest run_at of the waiting jobs in a JSON list of queues; None if no job waits."""
    [due] = connection.execute(queries.next_due, {"queues": names}).fetchone()
    return None if due is None else int(due)


def _claim(connection: sqlite3.Connection, queries: Queries, parameters: Parameters) -> Sequence[Row]:
    """Execute `claim.sql`. If a damaged job makes it fail, discard the job first."""
    try:
        return connection.execute(queries.claim, parameters).fetchall()
    except sqlite3.IntegrityError:
        _discard_damaged(connection, queries, parameters["now"])
        return connection.execute(queries.claim, parameters).fetchall()


def _discard_damaged(connection: sqlite3.Connection, queries: Queries, now: int) -> None:
    parameters = {"now": now, **error_columns(NO_ATTEMPT_LEFT)}
    for [id] in connection.execute(queries.discard_damaged, parameters).fetchall():
        logger.warning("job %s discarded: %s", UUID(bytes=id), NO_ATTEMPT_LEFT.message)
