"""Advance schedules: fire ticks exactly once, without transactions.

An advance has three steps. It stages the jobs of its ticks as a batch: their documents are hidden, and the schedule's
document names the batch as `staging`. One guarded update of the schedule commits the batch and moves the schedule. Then
the jobs become visible.

Any other change of the schedule removes `staging`, so a batch that was staged before it cannot be committed. Another
client that finds an open batch waits for its writer, then puts its own batch in its place. A client that finds a
committed batch makes the jobs visible. So each tick fires once, even if a slow client continues after its job ran and
its record was purged: this client finds no hidden job of the batch.
"""

from contextlib import suppress
from time import monotonic, sleep

from bson import ObjectId
from pymongo.errors import PyMongoError
from tallystick import Advance, BackendError, OutcomeUnknown, Schedule
from tallystick.backends import registers
from tallystick.backends.register_calls import AdvanceCall
from tallystick.backends.times import rounded_up

from . import queries, register_queries, schedule_documents, schedules, staging
from .collections import Collections
from .documents import Document
from .insert_or_find import insert_or_find
from .staging import PAUSE


def advance(store: Collections, call: AdvanceCall) -> list[bool]:
    """Apply or reject each advance independently, and return in their order whether it was applied."""
    schedules.finish_fired(store)
    names = list({one.name for one in call.advances})
    stored = {found["_id"]: found for found in store.schedules.find({"_id": {"$in": names}})}
    applied: list[bool] = []
    try:
        for one in call.advances:
            applied.append(_advance(store, one, call, stored.get(one.name)))
    except (PyMongoError, BackendError) as exc:
        if any(applied):
            raise OutcomeUnknown(f"{sum(applied)} advances were applied, and others may have been: {exc}") from exc
        raise
    return applied


def _advance(store: Collections, advance: Advance, call: AdvanceCall, found: Document | None) -> bool:
    deadline = monotonic() + staging.PATIENCE
    while True:
        schedule = schedule_documents.schedule(found) if found is not None else None
        moved = registers.advanced(schedule, advance, call)
        if found is None or schedule is None or moved is None:
            return False
        if not advance.ticks:
            if _is_moved(store, register_queries.unchanged(found), moved):
                return True
        elif "fired" in found:
            staging.finish(store, found["fired"])
        elif "staging" in found and monotonic() < deadline:
            sleep(PAUSE)
        elif _is_fired(store, found, moved, advance, call):
            return True
        found = store.schedules.find_one({"_id": advance.name})


def _is_fired(store: Collections, found: Document, moved: Schedule, advance: Advance, call: AdvanceCall) -> bool:
    """Stage the jobs, and commit them with the move. Return False if another client changed the schedule first."""
    batch = ObjectId()
    if not _is_begun(store, found, batch):
        return False
    jobs = [moved.job(tick).stored(call.now, rounded_up(tick, call.precision)) for tick in advance.ticks]
    try:
        insert_or_find(store, jobs, batch)
        is_moved = _is_moved(store, {"_id": moved.name, "staging": batch}, moved, batch)
    except BaseException:
        _take_back(store, batch)
        raise
    if not is_moved:
        _take_back(store, batch)
        return False
    try:
        staging.finish(store, batch)
    except PyMongoError as exc:
        raise OutcomeUnknown(f"schedule {moved.name!r} has moved, and its jobs follow later: {exc}") from exc
    return True


def _is_begun(store: Collections, found: Document, batch: ObjectId) -> bool:
    """Name the batch in the schedule, in place of the one that was found."""
    if store.schedules.update_one(register_queries.begun(found), {"$set": {"staging": batch}}).modified_count:
        return True
    return store.schedules.find_one({"_id": found["_id"], "staging": batch}) is not None  # the driver repeated it


def _is_moved(store: Collections, guard: queries.Query, moved: Schedule, fired: ObjectId | None = None) -> bool:
    """Store the state of a schedule after an advance, if the guard matches."""
    mark = ObjectId()
    state = {name: getattr(moved, name) for name in ("next_tick", "last_tick", "paused", "revision", "updated_at")}
    update = register_queries.written(state, mark=mark, **({} if fired is None else {"fired": fired}))
    if store.schedules.update_one(guard, update).modified_count:
        return True
    return store.schedules.find_one({"_id": moved.name, "mark": mark}) is not None  # the driver repeated it


def _take_back(store: Collections, batch: ObjectId) -> None:
    with suppress(PyMongoError):  # then the next advance, or a rescue, takes it back
        staging.take_back(store, batch)
