"""Store and list workers, each as one document with the JSON of its latest beat."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from pymongo.errors import DuplicateKeyError
from tallystick import LONGEST_TTL, WORKERS_KEPT, Beat, InvalidArgument, WorkerInfo
from tallystick.backends.register_calls import BeatCall
from tallystick.backends.times import MICROSECOND

from . import register_queries
from .collections import Collections
from .documents import Document

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def beat(store: Collections, call: BeatCall, now: datetime) -> None:
    """Store a worker's beat, or remove the worker if its ttl is zero. Remove workers that died a day ago."""
    worker = {"_id": call.beat.worker}
    if call.ttl:
        update = {"$set": _fields(call, now)}
        try:
            store.workers.update_one(worker, update, upsert=True)
        except DuplicateKeyError:  # another client has just inserted it
            store.workers.update_one(worker, update)
    else:
        store.workers.delete_one(worker)
    store.workers.delete_many(register_queries.died(max(now, _FIRST + WORKERS_KEPT) - WORKERS_KEPT))


def _fields(call: BeatCall, now: datetime) -> dict[str, object]:
    until = now + min(call.ttl, _LAST - now)
    return {"beat": call.beat.to_json(), "seen_at": now, "ttl": call.ttl // MICROSECOND, "until": until}


def listed(store: Collections) -> list[WorkerInfo]:
    """Return the workers, sorted by name, without damaged ones."""
    return list(_read(store.workers.find().sort("_id")))


def _read(documents: Iterable[Document]) -> Iterator[WorkerInfo]:
    for found in documents:
        name, beat, seen_at, ttl = (found.get(field) for field in ("_id", "beat", "seen_at", "ttl"))
        if isinstance(name, str) and isinstance(beat, str) and isinstance(seen_at, datetime) and _is_ttl(ttl):
            with suppress(InvalidArgument):
                yield Beat.from_json(name, beat).info(seen_at, timedelta(microseconds=ttl))


def _is_ttl(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and 0 < value <= LONGEST_TTL // MICROSECOND
