"""Claim due jobs: execute `claim.sql`, without waiting for the write lock if no job is due."""

import logging
import sqlite3
from collections.abc import Sequence
from uuid import UUID

from tallystick import Failure

from . import queries
from .connection import Connection
from .rows import Parameters, Row

logger = logging.getLogger("tallystick.sqlite")

_NO_ATTEMPT_LEFT = Failure(
    "DamagedRecord", "its attempt is the largest number that a store holds, so it cannot be claimed again"
)


def claim(reader: Connection, writer: Connection, parameters: Parameters) -> Sequence[Row]:
    """Claim due jobs; return their rows in no order."""
    with reader.reading() as connection:
        due = next_due(connection, parameters["queues"])
    if due is None or due > parameters["now"]:
        return []
    with writer.writing() as connection:
        return _claim(connection, parameters)


def next_due(connection: sqlite3.Connection, queues: str | None) -> int | None:
    """Return the earliest run_at of the waiting jobs in a JSON list of queues; None if there are none."""
    [due] = connection.execute(queries.NEXT_DUE, {"queues": queues}).fetchone()
    return None if due is None else int(due)


def _claim(connection: sqlite3.Connection, parameters: Parameters) -> Sequence[Row]:
    """Claim due jobs. If a damaged job makes the statement fail, discard it first."""
    try:
        return connection.execute(queries.CLAIM, parameters).fetchall()
    except sqlite3.IntegrityError:
        _discard_damaged(connection, parameters)
        return connection.execute(queries.CLAIM, parameters).fetchall()


def _discard_damaged(connection: sqlite3.Connection, parameters: Parameters) -> None:
    discard = {"now": parameters["now"], "error": _NO_ATTEMPT_LEFT.to_json()}
    for [id] in connection.execute(queries.DISCARD_DAMAGED, discard).fetchall():
        logger.warning("job %s discarded: %s", UUID(bytes=id), _NO_ATTEMPT_LEFT.message)
