"""Store, find and remove schedules."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import islice

from bson import ObjectId
from pymongo.errors import DuplicateKeyError
from tallystick import NewSchedule, Schedule, Unavailable

from . import register_queries, schedule_documents, staging
from .collections import Collections
from .documents import Document

_MAX_TRIES = 100


def put(store: Collections, schedules: Sequence[NewSchedule], now: datetime) -> list[Schedule]:
    """Store schedules, each independently, and return them in their order."""
    stored = {found["_id"]: found for found in store.schedules.find({"_id": {"$in": [new.name for new in schedules]}})}
    return [_put(store, new, stored.get(new.name), now) for new in schedules]


def _put(store: Collections, new: NewSchedule, found: Document | None, now: datetime) -> Schedule:
    for _ in range(_MAX_TRIES):
        old = schedule_documents.schedule(found) if found is not None else None
        wanted = _wanted(new, old, found, now)
        if wanted is old or _is_written(store, wanted, found):
            return wanted
        found = store.schedules.find_one({"_id": new.name})
    raise Unavailable(f"gave up on schedule {new.name!r}: other clients changed it {_MAX_TRIES} times; retry")


def _wanted(new: NewSchedule, old: Schedule | None, found: Document | None, now: datetime) -> Schedule:
    if old is not None:
        return new.replacing(old, now)
    damaged = found.get("revision") if found is not None else None
    return new.stored(now)._replace(revision=1 + damaged if isinstance(damaged, int) else 1)


def _is_written(store: Collections, wanted: Schedule, found: Document | None) -> bool:
    """Store a schedule in place of the found one. Return False if another client was first."""
    mark = ObjectId()
    if found is not None:
        update = register_queries.written(schedule_documents.fields(wanted), mark=mark)
        return bool(store.schedules.update_one(register_queries.unchanged(found), update).modified_count)
    try:
        store.schedules.insert_one({**schedule_documents.document(wanted), "mark": mark})
    except DuplicateKeyError:
        return False
    return True


def named(store: Collections, names: Collection[str] | None) -> list[Schedule]:
    """Return the schedules with these names, or all, sorted by name."""
    wanted = {} if names is None else {"_id": {"$in": list(names)}}
    return list(schedule_documents.schedules(store.schedules.find(wanted).sort("_id")))


def due(store: Collections, *, limit: int) -> list[Schedule]:
    """Return the schedules that fire next. Finish the advances of clients that died."""
    finish_fired(store)
    found = store.schedules.find(register_queries.WILL_FIRE).sort(register_queries.NEXT_FIRST)
    with found:
        return list(islice(schedule_documents.schedules(found), limit))


def finish_fired(store: Collections) -> None:
    """Make the jobs visible of advances that are committed and unfinished."""
    for found in store.schedules.find(register_queries.FIRED, {"fired": 1}):
        staging.finish(store, found["fired"])


def remove(store: Collections, names: Collection[str]) -> list[str]:
    """Remove schedules, and return the names of those that this call removed."""
    return [name for name in sorted(names) if _is_removed(store, name)]


def _is_removed(store: Collections, name: str) -> bool:
    """Remove a schedule. Its committed jobs become visible first, because its document proves that they fired."""
    for _ in range(_MAX_TRIES):
        if store.schedules.delete_one({"_id": name, "fired": {"$exists": False}}).deleted_count:
            return True
        found = store.schedules.find_one({"_id": name}, {"fired": 1})
        if found is None:
            return False
        if "fired" in found:
            staging.finish(store, found["fired"])
    raise Unavailable(f"gave up on schedule {name!r}: it fired {_MAX_TRIES} times meantime; retry")
