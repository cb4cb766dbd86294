"""Store a batch of whole records."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from tallystick.backends import keys
from tallystick.backends.restore_calls import Placed, RestoreCall

from . import rows
from .execute import Execute, clock
from .inserting import STATEMENT_BYTES
from .queries import Queries


def restore(execute: Execute, queries: Queries, call: RestoreCall) -> Sequence[bool]:
    """Store the records of a call in the transaction of `execute`; return for each whether it is new."""
    call = call.at(clock(execute, queries, call.given))
    mine: dict[UUID, Placed] = {}
    while True:
        found = execute(queries.is_stored, {"ids": [*call.ids], "keys": [*call.keys], "now": call.now})
        stored = {id for id, _ in found if id is not None and id not in mine}
        held = {key for _, key in found if key is not None} - {one.held_key for one in mine.values()}
        placed = call.placed(stored, held)
        waiting = [one for one in placed if one is not None and one.record.id not in mine]
        if not waiting:
            return [one is not None for one in placed]
        taken = [one.held_key for one in waiting if one.held_key is not None]
        if taken:
            execute(queries.free_keys, {"keys": taken, "now": call.now})
        for some in _statements(waiting):
            new = {id for (id,) in execute(queries.restore, _columns(some))}  # fewer, if other calls store the rest
            mine |= {one.record.id: one for one in some if one.record.id in new}


def _statements(placed: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Yield the records of each statement, up to its size limit."""
    some: list[Placed] = []
    size = 0
    for one in placed:
        more = len(one.record.payload) + len(one.record.result or b"")
        if some and size + more > STATEMENT_BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += more
    yield some


def _columns(placed: Sequence[Placed]) -> dict[str, Any]:
    """Return the parameters of `restore.sql`: one list of values for each column."""
    records = [one.record for one in placed]
    errors = [record.last_error for record in records]
    return {
        **{name: rows.array([getattr(record, name) for record in records]) for name in rows.COLUMNS},
        "state": [record.state.value for record in records],
        "unique_until": [keys.to_text(record.unique_until) for record in records],
        "meta": rows.array([rows.meta(record.meta) for record in records]),
        "tags": [rows.tags(record.tags) for record in records],
        "last_error": rows.array([error and error.to_json() for error in errors]),
        "error_type": rows.array([error and rows.error_type(error) for error in errors]),
        "errors": rows.array(["\n".join(each.to_json() for each in record.errors) or None for record in records]),
        "progress": rows.array([record.progress and record.progress.to_json() for record in records]),
        "held_key": rows.array([one.held_key for one in placed]),
    }
