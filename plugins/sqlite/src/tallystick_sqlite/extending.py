"""Extend the leases of claims, one by one."""

import sqlite3
from collections.abc import Sequence

from tallystick import Hold
from tallystick.backends.calls import ExtendCall
from tallystick.backends.times import micros
from tallystick.backends.transitions import hold

from .queries import Queries


def extend(connection: sqlite3.Connection, queries: Queries, call: ExtendCall) -> Sequence[Hold]:
    """Extend the leases; return a result for each claim, in order."""
    times = {"until": micros(call.until), "now": micros(call.now)}
    return [
        _hold(connection.execute(queries.extend, {"id": claim.id.bytes, "attempt": claim.attempt, **times}))
        for claim in call.claims
    ]


def _hold(cursor: sqlite3.Cursor) -> Hold:
    found = cursor.fetchall()
    return hold(bool(found[0][0]) if found else None)
