"""Find the stored duplicates of new jobs, and apply the conflict policies of unique keys to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tallystick import Inserted, NewRecord, Record
from tallystick.backends import keys
from tallystick.backends.calls import InsertCall

from . import rows
from .execute import Execute, clock
from .queries import Queries


class _Duplicates(NamedTuple):
    """The stored records by id, and the ids of those that hold a key. `passed` are keys whose time has passed."""

    records: dict[UUID, Record]
    holders: dict[str | None, UUID]
    passed: list[str | None]


def meet(execute: Execute, queries: Queries, call: InsertCall, new: Mapping[int, NewRecord]) -> dict[int, Inserted]:
    """Return the results of new jobs that met a duplicate, by their position in the call; change the holders of keys.

    A job without a result may be inserted now: the holder of its key is gone, or its time has passed.
    """
    names = [record.unique_key for record in new.values() if record.unique_key is not None]
    changes = any(record.on_conflict != "skip" for record in new.values())
    if changes:
        execute(queries.lock_holders, {"keys": names})
        call = call.at(clock(execute, queries, call.given))
    found = _read(execute, queries, [record.id for record in new.values()], names, call.given)
    if found.passed:
        execute(queries.free_keys, {"keys": found.passed, "now": call.given})
    results: dict[int, Inserted] = {}
    for n, record in new.items():
        if record.id in found.records:
            results[n] = Inserted(found.records[record.id], created=False)
        elif (id := found.holders.get(record.unique_key)) is not None:
            results[n] = keys.met(found.records[id], record, call.due[n], call.now)
            found.records[id] = results[n].record
    _store(execute, queries, {each.record.id: each.record for each in results.values() if each.applied}, call)
    return results


def _read(
    execute: Execute, queries: Queries, ids: Sequence[UUID], names: Sequence[str], now: datetime | None
) -> _Duplicates:
    found = _Duplicates({}, {}, [])
    for row in execute(queries.duplicates, {"ids": ids, "keys": names, "now": now}):
        record, (holds, has_passed) = rows.record(row), row[-2:]
        found.records[record.id] = record
        if holds and has_passed:
            found.passed.append(record.unique_key)
        elif holds:
            found.holders[record.unique_key] = record.id
    return found


def _store(execute: Execute, queries: Queries, changed: Mapping[UUID, Record], call: InsertCall) -> None:
    if not changed:
        return
    records = [*changed.values()]
    columns = {
        "ids": [record.id for record in records],
        "payload": [record.payload for record in records],
        "tags": [rows.tags(record.tags) for record in records],
        "meta": rows.array([rows.meta(record.meta) for record in records]),
        "run_at": [record.run_at for record in records],
    }
    execute(queries.change_holders, {**columns, "now": call.now})
