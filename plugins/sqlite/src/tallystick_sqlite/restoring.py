"""Store whole records: decide which are new and which hold their unique keys, then insert them."""

import sqlite3
from collections.abc import Sequence

from tallystick.backends.restore_calls import RestoreCall
from tallystick.backends.times import micros

from . import rows
from .inserting import add_parts
from .queries import Queries


def restore(connection: sqlite3.Connection, queries: Queries, call: RestoreCall) -> Sequence[bool]:
    """Store the records of a call in a write transaction; return for each whether it is new."""
    now = micros(call.now)
    cursor, stored, held = connection.cursor(), set(), set()
    for record in call.records:
        parameters = {"id": record.id.bytes, "unique_key": record.unique_key, "now": now}
        is_stored, is_held = cursor.execute(queries.is_stored, parameters).fetchone()
        stored |= {record.id} if is_stored else set()
        held |= {record.unique_key} if is_held and record.unique_key is not None else set()
    placed = call.placed(stored, held)
    for one in placed:
        if one is not None:
            parameters = rows.restoration(one)
            if one.held_key is not None:
                cursor.execute(queries.free_keys, {"unique_key": one.held_key, "id": None, "now": now})
            cursor.execute(queries.restore, parameters)
            add_parts(cursor, queries, parameters)
    for queue in {one.record.queue for one in placed if one is not None}:
        cursor.execute(queries.add_queue, {"queue": queue})
    return [one is not None for one in placed]
