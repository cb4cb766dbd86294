"""Rescue the jobs whose leases have expired."""

from collections.abc import Sequence

from tallystick import LEASE_EXPIRED, Record
from tallystick.backends.calls import RescueCall
from tallystick.backends.times import micros

from . import rows
from .connection import Connection
from .queries import Queries


def rescue(writer: Connection, queries: Queries, call: RescueCall) -> Sequence[Record]:
    """Rescue the jobs; return them after the change."""
    parameters = {"limit": call.limit, "now": micros(call.now), "error": LEASE_EXPIRED.to_json()}
    with writer.writing() as connection:
        rescued = connection.execute(queries.rescue, parameters).fetchall()
    return rows.records(rescued)
