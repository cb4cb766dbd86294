"""Delete the records of jobs that finished."""

import sqlite3

from tallystick.backends.calls import PurgeCall
from tallystick.backends.times import micros

from .queries import Queries
from .rows import json_list

_FIRST = -(2**63)


def purge(connection: sqlite3.Connection, queries: Queries, call: PurgeCall) -> int:
    """Delete records in a write transaction; return their number."""
    parameters = {
        "states": json_list(call.states),
        "since": _FIRST if call.since is None else micros(call.since),
        "before": micros(call.before),
        "kinds": json_list(call.kinds),
        "except_kinds": json_list(call.except_kinds) if call.except_kinds else None,
        "limit": call.limit,
    }
    return connection.execute(queries.purge, parameters).rowcount
